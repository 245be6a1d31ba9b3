// Package keepalive tells whether a peer lives, and how far away it is: a cookie goes out now and then and must come back. It is
// what bounds the states of other protocols in which a peer may rest. Do not use it to bound an answer that is due: each
// protocol's own states do that.
//
// # Concepts
//
//	Client  (initiator)  -- Ping{cookie} -->  Server  -- Pong{cookie} -->  Client;  Client -- Done --> Done
//
// [Ping] and [Answer] are the two sides; Ping writes each round trip into an [RTT], whose [RTT.Last] is a query: whoever wants the nearest of
// several peers reads all of them in one transaction, and is woken when one changes.
//
// The pause between an answer and the next ping is Config.Every, more or less a quarter, drawn anew each time (20 s: 15 to 25 s). That
// is all that a quiet connection costs: at 20 s, three pings and three answers a minute and direction.
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
