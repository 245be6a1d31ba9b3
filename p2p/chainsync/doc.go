// Package chainsync lets a node follow the chain of a peer, header by header, at the pace of the one that follows. It carries headers
// only: bodies come by package blockfetch once somebody wants them.
//
// # Concepts
//
// The client finds the newest point that both chains hold and then asks for one step at a time: a header to add, or a rollback. A server that
// is at its end says so (AwaitReply) and answers when its chain moves.
//
//	Idle       (initiator)  RequestNext -> CanAwait;  FindIntersect -> Intersect;  Done -> Done
//	CanAwait   (responder)  AwaitReply -> MustReply;  RollForward, RollBackward -> Idle
//	MustReply  (responder)  RollForward, RollBackward -> Idle
//	Intersect  (responder)  IntersectFound, IntersectNotFound -> Idle
//
// [Follow] is the client. It writes the peer's candidate, a fragment of validated headers, into [Candidates]: a header enters only
// after it links to the candidate and ClientConfig.Check has accepted it. [Serve] is the server: it serves a [Follower], which
// keeps where the client stands by identity, never by height.
//
// PROTOCOL.md, beside this file, is the whole contract on the wire; it and the types of the states are generated from [Protocol].
//
// # Candidates
//
// A candidate shares our chain's prefix up to the intersection. The client stops asking when it is more than Ahead blocks ahead of our
// selection, and keeps only the newest K+Ahead headers; nothing a peer does makes it longer. A rollback by more than K, or to a point that is
// not on the candidate, is a violation. A peer that shares no point with us (it is still syncing, or on a fork deeper than K) is
// asked again after RetryEvery, and has no candidate meanwhile.
//
// # Errors
//
// Those of p2p.Session. What Check refuses is a violation of kind Invalid, unless it is a [Later].
//
// # Limits
//
// 64 points a FindIntersect. A client may rest an hour between requests, a server take an hour for the next block, 60 s for any other answer.
//
// # Sources
//
// Cardano's chain-sync mini-protocol, without the tips in the answers to FindIntersect.
package chainsync
