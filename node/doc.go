// Package node wires modules into a replica: a store, chain selection, a pool of transactions, a leader's schedule, and sessions with
// peers over any p2p.Network, in one scope. It contains no protocol, no transport and no ledger: those are its configuration. Do not use
// it where you want a part of that only; every module it wires can be used alone.
//
// # Concepts
//
// [Start] resumes the chain, then the waiting transactions, from the store and starts, in the scope it is given:
//
//   - a dialler for each address of Config.Dial, with a growing pause between attempts;
//   - for every connected peer, whoever dialled, a follower: our handshake, then chainsync, blockfetch, txsubmission and keepalive as
//     initiator, in a scope of that peer's own, started again after a pause while the connection lasts;
//   - an acceptor that serves the same protocols, and refuses all but the handshake to a peer whose own handshake was not accepted;
//   - the forger, if there is a key. In one transaction it reads what is selected and what waits; outside of it the block is made.
//
// A program hands its own clients' transactions to [Node.Pool], whose Submit returns once they are durable.
//
// A violation goes to the peer ledger, ends the connection, and the peer is neither dialled nor accepted while the ledger refuses it.
// Whatever ends one peer's sessions leaves the others alone; only a failure of this node itself (its store, a panic) ends the scope.
// A peer is to blame for bytes that are no transaction, or not what it announced; not for a transaction that the ledger refuses, since
// its state may be another. That costs it a growing pause.
//
// [Ledger] is the user's: what its Body makes, its Apply must accept. If it does not, the forger's tracer is told, the slot is lost, and
// the next block is made without transactions.
//
// # Data flow
//
//	peer --chainsync--> candidate --blockfetch--> chainsel --selection--> followers served, forger
//	                                   (one decision over selection and candidates)
//	peer --txsubmission--> pool --snapshot--> forger, and other peers by txsubmission
//	client ----Submit----> pool (revalidated against each selection)
//
// # Concurrency
//
// A Node's methods are queries: call them in any transaction, of any task, while the scope lives.
//
// # Errors
//
// Start: a field of Config; [ErrIdentity] if the store belongs to another network, as an *[IdentityError] with both values; those of
// chain selection, pool and store.
//
// # Stored form
//
// At the key "node/identity": canonical CBOR [1, network, genesis hash], written at the first start and never changed. Chain selection, pool
// and signer keep the rest.
//
// # Limits
//
// One follower a connected peer, one session for each of the five protocols that a peer opens; the transport bounds the peers. A block
// holds at most Config.BodyBytesMax bytes of transactions, the pool what Config.Mempool says.
//
// # Testing
//
// The tests run whole nodes in the simulator: a ledger of registers through forks, a partition, restarts and hostile peers, and leave out
// what keeps transactions to see that it is missed.
package node
