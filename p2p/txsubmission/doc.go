// Package txsubmission brings pending transactions from a peer: ids first, within a window that the one who wants them grants, then those
// transactions that it lacks. Each side of a connection opens its own session for what it wants; nothing is sent unasked. Do not use
// it for blocks (package blockfetch), nor for what has no order and no pool behind it.
//
// # Concepts
//
//	Idle     (initiator)  AwaitIDs -> IDsWait;  RequestIDs -> IDsNow;  RequestTxs -> Txs;  Done -> Done
//	IDsWait  (responder)  ReplyIDs -> Idle      at least one id, whenever there is one
//	IDsNow   (responder)  ReplyIDs -> Idle      what there is, perhaps nothing
//	Txs      (responder)  ReplyTxs -> Idle
//
// The server, [Serve], announces a [Source] in its order, each transaction once, and remembers what it has announced until it is acknowledged:
// at most [WindowMax] ids. Both requests for ids acknowledge the oldest ones and grant room for others; a client may wait (AwaitIDs)
// exactly when that leaves nothing outstanding, so that it cannot wait with work to do, and RequestIDs acknowledges at least one, so that it cannot
// ask in a loop. It may ask for outstanding transactions alone, each announcement
// once, in order. An answer leaves out what has gone meanwhile. A transaction that was rolled back may be announced again, even while
// its first announcement is outstanding.
//
// A [Client] is shared by a node's sessions, each of which is a [Client.Pull]. A step is decided in one transaction over the window, the
// [Sink] and what all sessions have asked for: the oldest ids that nobody need fetch are settled, and the next ones are leased and
// asked for, up to the first that another session is fetching or that the sink has no room for. That one blocks those behind it, so that
// no transaction overtakes one it depends on. The wait for it is one wait: for room, for its delivery by another, for the other's lease
// to end, for the peer's end. Leases end with the request, however it ends, or after Config.LeaseFor.
//
// # What is done with a transaction
//
// Its hash must be its id and its size the announced one; then Sink.Offer judges it.
//
//   - It is taken, or known already: settled.
//   - There is no room after all (Config.Full): the session holds it, and rests until there is. Nothing is dropped, nothing more is asked for.
//   - It is refused, or gone when it is asked for: settled. A server announces it again if it was rolled back, and then it is asked for
//     again: what was refused on one fork may be valid on another.
//   - Only a dishonest peer sends it (Config.Blame): a violation.
//
// A larger one than Config.TxBytesMax is settled without being asked for.
//
// # What a useless peer costs
//
// Transactions that were refused or gone, and decisions that passed over too large ones, count 1 each, one that is taken takes 1 back, up to 16.
// With each that brings the count to n the session pauses for 10 ms times 2 to the n-1, at most Config.PauseMax. Ids of what the sink has are
// no fault; a session pauses for 10 ms after every 64 of them. A peer that let a lease run out holds the others up no second time: its session waits for PauseMax
// before it leases, until it has been in time 16 times.
//
// # Concurrency
//
// Any number of Pulls may share a Client, and of Serves a Source. Sink's and Source's methods are called in transactions, Offer
// outside of them, by one session at a time for each session.
//
// # Errors
//
// Those of p2p.Session, and the cancellation's cause.
//
// # Limits
//
// [WindowMax] ids, [TxBytesMax] a transaction, [RequestBytesMax] a request: both sides check them, and the length of every list
// is checked before memory is spent on it. Beside its window a client's session holds at most one answer. Answers to
// RequestIDs are due in 10 s, to RequestTxs in 30 s; a client, and a server that has nothing new, may rest for ever (package keepalive
// tells whether they live).
//
// # Testing
//
// Transcripts of what goes over the wire, hostile peers in both roles, full pools, and random comings and goings of transactions and
// links, each in simulations by seed. Planted bugs: no leases, overtaking, lost leases, early acknowledgement, dropping when full,
// too much in flight, no pause.
//
// # Sources
//
// Cardano's TxSubmission2 mini-protocol, and of its version 2 inbound side the leases, shared by sessions that decide by
// themselves. The two requests for ids are one message there, with a flag; here an answer's rules follow from the state alone.
package txsubmission
