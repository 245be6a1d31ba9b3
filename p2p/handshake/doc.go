// Package handshake is the first session on a connection, one in each direction: whoever opens it says which network, which genesis
// and which versions it speaks, and the other accepts the highest common version or refuses with both values.
//
// # Concepts
//
//	Propose  (initiator)  -- Propose{network, genesis, versions} -->  Confirm
//	Confirm  (responder)  -- Accept{version} | Refuse{field, value} -->  Done
//
// [Propose] and [Answer] are the two sides. [Accepted] remembers whose proposal was accepted: a responder serves no other protocol
// to a peer that is not in it. It is written before Accept leaves, so a peer that has our Accept is in it.
//
// PROTOCOL.md, beside this file, is the whole contract on the wire; it and the types of the states are generated from [Protocol].
//
// # Errors
//
// *[RefusedError], at both sides, says which field differs and both values; it is nobody's violation. Otherwise those of p2p.Session.
//
// # Limits
//
// A network name has at most 64 bytes, a proposal at most 32 versions. Each side has 10 s.
//
// # Sources
//
// Cardano's node-to-node handshake.
package handshake
