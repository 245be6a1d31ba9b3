// Package home is what a testnet and each of its nodes start from, and how it is kept on disk: a genesis, the nodes' keys, the keys
// of the accounts that the genesis funds, and one configuration a node. It starts nothing.
//
// # Concepts
//
// [New] draws a network in memory, [Create] also writes it, [Open] reads it back. [LoadNode] reads the folder of one node, which holds all
// that the node needs and may be copied to another machine alone.
//
//	D/genesis.cbor                    network, start, slot length, leaders' keys, allocations
//	D/accounts/<name>.key             mode 0600
//	D/load.key                        mode 0600: the accounts of a load generator follow from it
//	D/node<i>/config.json             see [NodeConfig]
//	D/node<i>/genesis.cbor            the same genesis
//	D/node<i>/leader.key, host.key    mode 0600: signs blocks, identifies the libp2p host
//	D/node<i>/db                      the node's store
//
// # Guarantees
//
// No file is ever overwritten, and each appears whole or not at all. The network's genesis is written last, so that an interrupted Create can be
// repeated: it uses the keys that are there. A key that others than its owner may read is refused, and so is a network whose store is
// missing while its genesis is there: with it went the record of the slots that its key has signed.
//
// # Concurrency
//
// Values are immutable once returned. Of processes that create the same directory at once at most one succeeds; if none does, the next one completes the network.
//
// # Errors
//
// [ConfigError] names the field of a node's configuration that lies. Others name the file.
package home
