// Package keepalive tells whether a peer lives, and how far away it is: a cookie goes out every few seconds and must come back. It is
// what bounds the states of other protocols in which a peer may rest.
//
// # Concepts
//
//	Client  (initiator)  -- Ping{cookie} -->  Server  -- Pong{cookie} -->  Client;  Client -- Done --> Done
//
// [Ping] and [Answer] are the two sides; Ping writes each round trip into an [RTT].
//
// # Errors
//
// Those of p2p.Session. A cookie that is not the one sent is a violation of kind Invalid.
//
// # Limits
//
// The answer is due in 60 s, the next ping in 5 min.
//
// # Sources
//
// Cardano's keep-alive mini-protocol.
package keepalive
