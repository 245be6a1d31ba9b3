package p2p

import (
	"fmt"

	"github.com/synodkit/synod/p2p/table"
)

// ViolationKind is how a peer broke a protocol.
type ViolationKind uint8

// The kinds, in the order in which the driver can notice them for one frame.
const (
	Stalled     ViolationKind = iota + 1 // it did not read what it asked for within the write limit
	Timeout                              // it had agency and did not speak within the state's limit
	OutOfAgency                          // it spoke while we had agency, or after the protocol's end
	Oversize                             // a frame of length 0 or above the state's limit
	WrongTag                             // a message that the state forbids
	Truncated                            // it ended the stream inside a frame
	Garbage                              // a body that is not the message's canonical encoding
	Invalid                              // a well-formed message whose meaning is wrong: Session.Invalid
)

// String is the kind's name, in lower case.
func (k ViolationKind) String() string {
	names := [...]string{"none", "stalled", "timeout", "out of agency", "oversize", "wrong tag", "truncated", "garbage", "invalid"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// Violation is a peer's breach of a protocol, as a value. It is immutable once made.
type Violation struct {
	Peer     PeerID
	Protocol string        // the table's name
	State    table.StateID // where the offending bytes were read, or were due
	Kind     ViolationKind
	Err      error // the detail; never nil
}

// Error says who broke what, where and how.
func (v *Violation) Error() string {
	return fmt.Sprintf("p2p: peer %s: %s in %s/%s: %v", v.Peer, v.Kind, v.Protocol, v.State, v.Err)
}

// Unwrap gives the detail.
func (v *Violation) Unwrap() error { return v.Err }
