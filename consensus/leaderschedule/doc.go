// Package leaderschedule is the simplest consensus that makes a chain: time is cut into slots, the keys of the genesis take turns,
// and the leader of a slot may make one block in it. Use it for test networks, and among operators who trust each other. A leader
// that is down leaves its slots empty; one that signs two blocks in a slot makes a fork, which the order of chains settles, but
// nothing here punishes. For a network with adversaries among the leaders take another family.
//
// # Concepts
//
// A [Schedule] is made of a chain.Genesis and judges headers: [Schedule.CheckHeader] looks at slot, leader and signature,
// [Schedule.CheckTime] at the clock. A header's proof is the ed25519 signature of the slot's leader over chain.Fields.Content, in
// the domain "header" of package chain/sign. A header is not to be accepted before its slot: from one that is at most [AheadMax]
// slots or [AheadMin] ahead a [LaterError] tells when; a clock may be wrong by that much. Further ahead is a fault: [TooFarAheadError].
//
// A [Signer] holds a leader's key and signs at most one header a slot, ever. [Forger.Run] is the forging loop.
//
// # Concurrency
//
// A Schedule is a value. A Signer may be used from several tasks; they take turns while a slot is made durable. One Run per
// Signer.
//
// # Errors
//
// [HeaderError] (wraps [ErrHeader]), [LaterError] and [TooFarAheadError] are answers about others' headers. [ErrSigned],
// [ErrNotLeader] and [ErrRecord] are about one's own. [Forger.Run] ends with the first error of the store, since then nothing can
// be signed any more.
//
// # Limits
//
// As many leaders as a genesis has keys, each once. Verifying costs one signature, whatever the header says. Run wakes once for
// each slot it leads, and reads the chain only then: in one transaction what to build on and what to put there; the body is made
// outside it.
//
// # Stored form
//
// At the key "leaderschedule/", the genesis hash and the public key: the last slot used, eight bytes big endian, and eight bytes
// of check. It is durable before the signature of that slot exists. Do not delete it, and do not use a key with an older copy of
// its store.
//
// # Testing
//
// The tests stop a Signer at each operation of its store and look for two signatures in one slot; a signer that records after
// signing is caught.
//
// # Sources
//
// Cardano's BFT protocol (Ouroboros.Consensus.Protocol.BFT, LeaderSchedule): round robin; its forging loop: one attempt a slot.
package leaderschedule
