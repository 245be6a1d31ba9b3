// Command testnet runs a Synod network that carries transfers of a coin: nodes that talk over real libp2p connections, forge blocks in turn, and agree on one
// chain, through a kill and a partition if asked. It is a demonstration, an acceptance test, and a way to try a network that spans machines; the coin is worth
// nothing.
//
//	go run ./examples/testnet                               # five nodes until Ctrl-C
//	go run ./examples/testnet up --nodes 5 --slot 500ms --until-block 30 --load 50 --kill-restart --partition --json
//	go run ./examples/testnet init --nodes 3 --out D        # a folder for each node, then: testnet node --home D/node0
//
// # Concepts of up
//
// The command line becomes options; options and data directory become a home.Home (genesis and keys); a home becomes a network of members. A member is a
// replica in this process, in a scope of its own, or the child: a process of the same program, of which the events are followed into a Var. So one transaction
// sees them all at one moment.
//
// A watcher shows those moments and knows when the run is over. Meanwhile
//
//   - the load (package load) sends transfers to random nodes and looks for them on the chain of the first node;
//   - the faults run one after the other. Each is a sequence of things to be seen, with a limit on each; what was not seen is the evidence that is missing.
//
// At the end the load stops, what is pending gets some time to settle, every node is reported, every scope ends, and a pure function judges the reports.
//
// # Faults
//
//	--kill-restart  the last node is the child. At a random moment after it has forged it gets SIGKILL. Seen must be: an exit by that signal, a new process, and a
//	                chain that grows beyond what it had.
//	--partition     the last (n-1)/2 of the nodes in this process refuse the others, and are refused, at the level of connections, for at least 3n slots. Seen must
//	                be: the end of those connections, different blocks of one height on both sides, and after healing one chain and a rollback where it gave way.
//
// # Exit status
//
// 0 on success; 1 with one line on standard error that says which input or which finding is the reason. With --until-block N success means that all nodes hold
// the same chain up to block N; that no node recorded a violation against another; that the planned faults have bitten; that every accepted transfer is
// on the common chain or in a mempool, and some are on the chain; and that nothing was left running. With --for the same, up to the highest block of that
// moment, at least the first. Without either, Ctrl-C ends the run, and only a leak, a fault without bite or a broken promise is a failure; transfers not on the common chain
// count as pending then, because a node may be down.
//
// # Figures of --json
//
// seconds since up, until everything had ended; first_block_seconds since up; inclusion_slots from the slot in which a transfer was accepted to that of its block,
// the first time it was included; tx_per_second accepted while the load ran; txs_skipped were due, but nobody could send them in time; txs_refused are answers,
// most of them from nodes that lag; rss_bytes of all processes, 0 where the system has no /proc.
//
// # Concurrency
//
// Every task has a scope as its owner; signals and the exit status are handled in main alone. The child ends when its standard input does, so it never outlives
// the process that started it.
package main
