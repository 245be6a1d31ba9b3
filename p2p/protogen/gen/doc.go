// Package gen makes from a protocol's table what follows from it: the types that make a wrong step of a session a compile error, and a page
// that describes the protocol with its diagram and the grammar of its messages. It is what the command p2p/protogen calls, and what a test
// calls to see that the generated files are those of the present table. It runs no session; package p2p does.
//
// # Concepts
//
// Each role has a type for each state: InitiatorIdle, ResponderIdle. Where the role has agency, the type has a method for each message that it may send
// there, which gives the state that follows; elsewhere it has Recv. Where one message alone can come, Recv gives the message and the next state; where
// several can, an interface that only the answers implement, each with its message and its Next. There is no other way to get a state, so what
// the table does not allow cannot be written down, and an answer that cannot come is no case of the switch.
//
// Go has no types that must be used exactly once: a state that was left can be used again, and is then p2p.ErrStale at run time. The analyzer
// p2p/linvet finds most such places before; it goes by the mark //p2p:linear on the generated types.
//
// # Limits
//
// States and messages must be named like exported Go identifiers, a message's type a pointer to a named struct. The grammar describes what
// package chain's CBOR makes of a struct; what encodes itself is shown as any.
//
// # Sources
//
// Castro, Hu, Jongmans, Ng, Yoshida, Distributed programming using role-parametric session types in Go (POPL 2019); typed-protocols (IOHK).
package gen
