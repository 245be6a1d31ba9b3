// Package blockfetch brings the bodies of blocks whose headers are known: the client decides which to ask of whom, the server streams
// a range. Bodies that nobody has a header for cannot be asked for, and are never sent unasked.
//
// # Concepts
//
//	Idle       (initiator)  RequestRange -> Busy;  ClientDone -> Done
//	Busy       (responder)  StartBatch -> Streaming;  NoBlocks -> Idle
//	Streaming  (responder)  Block -> Streaming;  BatchDone -> Idle
//
// A [Client] is shared by a node's fetch sessions. Each [Client.Fetch] decides in one transaction, over our selection, its
// peer's candidate and what all peers have been asked for, what to ask of its peer next: the oldest run of missing bodies of a
// candidate better than our selection, which nobody else is bringing. In that transaction it claims them, so that two peers never
// bring the same body; the claim ends with the request, or after Config.ClaimFor, so that a slow peer keeps nobody waiting.
//
// A Block message carries the body alone: the header is the one that was asked for, and the body must have its size and hash before anything
// else is done with it. A short, long or wrong batch is a violation, as is a candidate that holds a block known to be invalid:
// honest peers select only what they have validated.
//
// [Serve] is the other side.
//
// PROTOCOL.md, beside this file, is the whole contract on the wire; it and the types of the states are generated from [Protocol].
//
// # Errors
//
// Those of p2p.Session, and what Config.Deliver returns.
//
// # Limits
//
// A request asks for at most RangeMax blocks and BytesMax bytes of bodies, whichever is less. A session holds one body. A client
// may rest for ever (package keepalive tells whether it lives); every answer and every block is due in 60 s.
//
// # Sources
//
// Cardano's block-fetch mini-protocol and its decision logic, without ranges of unknown blocks.
package blockfetch
