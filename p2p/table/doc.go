// Package table describes protocols as data: states, who has agency in each, the messages that lead from one to the next, and
// the byte and time limits of each. It runs nothing; package p2p drives a session by a table. Do not use it for
// what is not a conversation of two: there are always exactly an initiator and a responder.
//
// # Concepts
//
// Agency is a function of the state: the side that has it may send, the other may only receive, so neither two nor none can
// be waited for unless the protocol has ended. [Protocol.Validate] proves, for a table, what the driver relies on: every
// state is reachable and can reach an end, no tag is ambiguous in a state, every limit is present.
//
// # Concurrency
//
// Values are immutable by convention once validated, and may then be shared.
//
// # Limits
//
// At most 64 states; a frame of at most 16 MiB; a time limit of at most 24 hours, or [Forever].
//
// # Sources
//
// typed-protocols (IOHK): agency as a function of the state, limits by state.
package table
