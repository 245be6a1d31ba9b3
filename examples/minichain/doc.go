// Command minichain is a chain of one's own, as small as it gets: a registry of names with its own transactions and its own rules, on three nodes in one
// process, each on a plain go-libp2p host. Two nodes are given rival claims to one name; it ends when all nodes agree on who owns
// what, and prints it. It is to be read and copied from, not run as a service. docs/build-a-chain.md walks through it.
//
//	go run ./examples/minichain
//
// Exit status 0 says that all nodes agreed, 1 that they did not within a minute, or what failed.
//
// # Limits
//
// Nodes keep their chains in memory, and a state copies the map of all names for each claim: fine for some thousand of them.
package main
