// Package keepalive tells whether a peer lives, and how far away it is: a cookie goes out now and then and must come back. It is
// what bounds the states of other protocols in which a peer may rest. Do not use it to bound an answer that is due: each
// protocol's own states do that.
//
// # Concepts
//
//	Idle  (initiator)  -- Ping{cookie} -->  Pinged (responder)  -- Pong{cookie} -->  Idle;  Idle -- Done --> Done
//
// PROTOCOL.md, beside this file, is the whole contract on the wire; it and the types of the states are generated from [Protocol].
//
// [Ping] and [Answer] are the two sides; Ping writes each round trip into an [RTT], whose [RTT.Last] is a query: whoever wants the nearest of
// several peers reads all of them in one transaction, and is woken when one changes.
//
// The first ping goes out at once, the others at the multiples of Config.Every on the clock, so that the pause is Every, and after the first half of
// it to one and a half. There is no jitter, on purpose: all sessions of a node, and all nodes whose clocks agree, ping at the same moment, and an
// idle machine is woken once a period, not once a session. A ping is some ten bytes, so that the burst is small; the round trips of a
// node with very many peers are measured in a crowd. The default keeps just within QUIC's own 15 s, which then has nothing to add.
//
// # Errors
//
// Those of p2p.Session. A cookie that is not the one sent is a violation of kind Invalid.
//
// # Limits
//
// The answer is due in 60 s, the next ping in 5 min. A transport that misses its peer sooner ends the session sooner.
//
// # Sources
//
// Cardano's keep-alive mini-protocol.
package keepalive
