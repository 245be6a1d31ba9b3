// Package p2p is the session machine: typed, consumer-driven talk between two peers over one ordered byte stream, driven by
// a table (package p2p/table) and checked at run time. Do not use it for datagrams or broadcast, nor to push data that
// nobody has asked for: a receiver that does not read is the back-pressure, and there is no other.
//
// # Concepts
//
// A [Stream] is what a transport offers: package p2p/libp2p gives real ones, sim/simnet simulated ones. A [Session] runs one
// protocol table over one Stream in one role. In every state exactly one side has agency: it may send, the other can only
// receive. Each message is a frame
//
//	u32 length (big endian) | tag byte | body (canonical CBOR, empty for a message without fields)
//
// where length counts tag and body. A received frame is checked in the order length, tag, body, meaning, each before the next
// costs anything: an oversize length is refused before a byte of it is buffered, a tag that the state forbids before its
// body is read. What fails is a [Violation], a value that goes to whoever keeps the peer ledger (package p2p/peers), and
// the stream is reset with [CodeViolation].
//
// Code that package p2p/protogen generates from a table gives each state a type with the state's messages as methods; such a value holds a
// [Turn], the right to one step, and a step by a value that the session has left is [ErrStale].
//
// The rules a protocol's author relies on:
//
//   - Flush before any wait. Send only appends; Recv, Wait and Close flush first. [Wait] is the only way to wait for a
//     transaction's condition between two steps of a session: a bare stm wait keeps our last message from the peer.
//   - Cancelling the context given to [NewSession] resets the stream with [CodeShutdown]: a cancelled Recv has no other legal
//     continuation. Recv then returns the cancellation's cause. Last words need [Session.Close] before the cancellation.
//   - A state's time limit is armed only when we are about to block, and at most once in a quarter of it: the peer has
//     between 1 and 1.25 times the limit, in production and in simulations alike. A state's Spread is added to the limit in part, by a share
//     that each session draws once.
//   - Rules of the table (table.Rule) hold for both sides: a message of the peer's that breaks one is a violation of kind Invalid, one
//     of ours is an error of Send.
//   - A peer that does not read what it asked for is given 30 s (to 37.5 s) for each write.
//   - A limit that passes is a violation only of a peer that is there: a transport that can tell ([Prober]) is asked first, which may take
//     a few seconds more, and the message gets a last 100 ms. A peer that was killed, or is cut off, is [ErrGone], in whatever state and however
//     far inside a frame; what it had sent while our side slept still counts.
//   - A lock-step peer that sends while we have agency is caught at our next Send or Wait if its bytes have been read by then;
//     otherwise they wait in the transport's window, which bounds them.
//
// A [Source] is a session whose received messages are a prop.Source: one wait can then be for messages of several peers, for time and for any
// other Var. A task reads while the peer has agency, a stated number of messages ahead and no further.
//
// # Concurrency
//
// A Session belongs to one goroutine. Stream.Reset and Stream.Gone may be used by any. Nothing here starts a goroutine.
//
// # Errors
//
// Every error of a Session is final and is returned again by every later call: *[Violation] (the peer broke the protocol), *[ResetError]
// (the stream was reset, by which side and why), [ErrGone] (the connection is lost), io.EOF (the peer ended in order, but
// not by the protocol's last message), or the cancellation's cause.
//
// # Limits
//
// A session buffers at most one frame of the present state's BytesMax in each direction; the read buffer starts at 512 bytes and grows
// only as bytes arrive, to at most twice what the peer has really sent.
//
// # Sources
//
// typed-protocols (IOHK) for agency, per-state limits and the driver; gouroboros for the dynamic table in Go.
package p2p
