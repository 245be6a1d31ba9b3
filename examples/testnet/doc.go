// Command testnet runs a whole Synod network in one process: a number of nodes that talk over real libp2p
// connections on loopback, forge blocks in turn, and agree on one chain. It is a demonstration and an acceptance test;
// it is not a way to run a network across machines.
//
//	go run ./examples/testnet                               # five nodes until Ctrl-C
//	go run ./examples/testnet up --nodes 5 --slot 200ms --until-block 20 --json
//
// # Concepts
//
// The command line becomes options, options and data directory become a home (genesis and keys), and a home becomes a
// network: one scope a node, holding its libp2p host, its store, its node.Node and its HTTP server. A watcher follows all
// nodes in one transaction and shows them; at the end every node is reported, every scope has ended, and a pure function
// judges the reports. The ledger of the chain counts blocks and folds their bodies into a root.
//
// # Files of a data directory
//
// genesis.cbor (network, start, slot length, leaders' keys), and for each node a folder node<i> with leader.key and
// host.key (mode 0600, never overwritten) and db, its store. Without --data-dir the stores live in memory.
//
// # HTTP, one server a node on loopback
//
// GET /status, GET /chain?from=H&limit=N (N at most 1,000), GET /metrics (Prometheus), GET /debug/scopes.
//
// # Exit status
//
// 0 on success; 1 with one line on standard error that says which input or which finding is the reason. With
// --until-block N success means that all nodes hold the same chain up to block N, that no node recorded a violation
// against another, and that nothing was left running. Without it, Ctrl-C ends the run and only a leak is a failure.
//
// # Concurrency
//
// Every task has a scope as its owner; signals and the exit status are handled in main alone.
package main
