// Package explore looks at every state that a protocol can reach, if it is written as a table of rules (package rule)
// and put into a world small enough: a few processes, rounds and values. It runs the functions that production runs. Use
// it in tests. It proves nothing about larger worlds, and nothing about liveness; for networks with time, many nodes and
// real modules around them, see package sim.
//
// # Concepts
//
// A rule.World names the processes, who is faulty, what the surroundings do (Moves), how many crashes there may be, what
// must hold (Invariant) and how far to go (Bound). [Run] visits its states breadth first: the first [Violation] comes with
// a shortest story, told rule by rule.
//
// What may happen at any moment:
//
//   - a process fires a rule about state that holds, for any binding;
//   - it hears a message that was said to it, at any time after, any number of times, or never: so messages are lost,
//     doubled and reordered without further moves;
//   - it crashes, and finds its Durable Vars and Logs again and the rest initial: so the marks of durability are tested;
//     with Unsynced it finds what was last synced, its Sends have not left until then, and its Early ones have;
//   - a move.
//
// A pool of facts is one for all: whatever is said is known to everybody at once. That loses nothing because its queries
// are monotone, so that knowing more later is the same as firing later. Faulty authors have said everything from the
// start, for the same reason. Timers may expire whenever a rule asks.
//
// [Mutate] deletes each named conjunct of each guard in turn and looks again. A conjunct whose deletion violates something
// is killed: it is there for a reason that is stated. One whose deletion changes no state is redundant in these worlds.
// One that changes states to which nothing objects is alive: either the worlds are too small, or an invariant is missing.
//
// # Besides invariants
//
// These are violations too: a contract of a rule (Requires, Ensures); a rule that fires and changes nothing, since it
// would fire for ever; a process that says two things in one slot of a pool; a panic, which is [ErrPanic].
//
// # Limits
//
// States are told apart by fingerprints of 64 bits: among n of them some two agree with probability n²/2^65, 3e-8 for a
// million, and then a part of the states may be missed. More than StatesMax is [ErrUnfinished]. A state takes some 30 bytes
// while it is known, and its vector while it waits. A world has at most 32 processes, a bag of MessagesMax different messages
// and 250 different values in a pool. Unsynced worlds with pools are refused: what a pool says waits for the sync anyway.
//
// # Costs
//
// One core, by processor time on a busy machine: 1.5 M transitions a second of facts, 2 M of messages, if Vars are small and
// have neither pointers nor padding. Values of other types are numbered, which costs when they are written. go test -bench . measures.
//
// # Sources
//
// Yu, Manolios, Lamport, Model Checking TLA+ Specifications (1999), for fingerprints and breadth first; Konnov and others,
// TLA+ Model Checking Made Symbolic (2019), for messages as sets; DeMillo, Lipton, Sayward, Hints on Test Data Selection
// (1978), for mutation.
package explore
