// Package consensus is the calculus that consensus families share: weighted sets and quorums, tallies, certificates, evidence, leaders,
// timeouts, a block tree, and the interface of the application that is replicated. It is pure: no goroutine, clock, disk, socket or
// cryptography is in it. Do not look for a protocol here; each family is a package below this one.
//
// # Concepts
//
// A [Set] is who takes part and with which [Weight]. Quorums are weights: [Majority] for crash faults, [TwoThirds] and [OneThird] for
// Byzantine ones. Two quorums of more than half share a member; two of more than two thirds share a correct one as long as less than a
// third is faulty; more than a third has at least one correct member. A [Joint] configuration asks for a majority in both of its sets.
//
// A [Tally] counts votes of one slot, incrementally: one vote per member, the first one counts, a second different one is a conflict
// for the caller to make [Evidence] of. A [Certificate] is a quorum's signatures on one content. Both are checked through a
// [Verifier] that is passed in, with one verdict for single and batched signatures.
//
// [Set.RoundRobin] and [Rotation] say who leads; the latter gives everyone turns by weight. A [Pacemaker] says how long a round
// lasts. A [Tree] holds blocks that are not final. An [App] is the replicated state machine.
//
// # Concurrency
//
// Sets, joint configurations, rotations, pacemakers and certificates are immutable values. A Tally and a Tree belong to one task.
//
// # Errors
//
// [ErrSet], [ErrCertificate], [ErrEvidence], [ErrTree] say which kind of thing was refused, wrapped with the reason. Indices out of range
// panic: members are numbered by [Set.Index], and what comes from outside must go through it.
//
// # Limits
//
// A set has at most [MembersMax] members and a total weight of at most [WeightMax]; no sum of weights here overflows. A tally holds one
// vote a member. A tree holds as many blocks as it was made for.
//
// # Sources
//
// Thresholds: Dwork, Lynch, Stockmeyer, 1988; Malkhi, Reiter: Byzantine quorum systems, 1998. Joint configurations: Ongaro's
// dissertation, section 4.3. Rotation: the proposer selection procedure in CometBFT's specification.
package consensus
