// Package tail follows a log of a peer's: lines that are there come at once, later ones when they are written. It is the protocol that
// docs/write-a-protocol.md writes, to be read and copied from; do not use it for more than that, since a log here never forgets.
//
// # Concepts
//
// The one who reads asks for at most so many lines from a place on ([Follow]). The one who has the [Log] answers with at least one, at most as many
// as were asked for, or says first that it must wait ([Serve]). PROTOCOL.md is the contract on the wire; it and protocol_gen.go are generated
// from [Protocol].
//
// # Limits
//
// A line has at most 1 KiB; 64 lines an answer.
package tail
