// Package table describes protocols as data: states, who has agency in each, the messages that lead from one to the next, and
// the byte and time limits of each. It runs nothing; package p2p drives a session by a table. Do not use it for
// what is not a conversation of two: there are always exactly an initiator and a responder.
//
// # Concepts
//
// Agency is a function of the state: the side that has it may send, the other may only receive, so neither two nor none can
// be waited for unless the protocol has ended. [Protocol.Validate] proves, for a table, what the driver relies on: every
// state is reachable and can reach an end, no tag is ambiguous in a state, tag, name and type of a message mean one another, every limit is
// present and lets its messages pass. It names everything that is wrong, not the first alone.
//
// A [Rule] bounds a number in a message by what was said before: a session keeps the [Value] outstanding, an answer adds to it, an
// acknowledgement takes at most what is there. The driver holds both sides to the rules, so that a handler need not. What is not about
// numbers stays with the handler, and with Session.Invalid.
//
// Package p2p/protogen makes from a table the code in which a message that the state forbids does not compile, and a page that describes the protocol.
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
