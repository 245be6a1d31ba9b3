// Package tendermint is Byzantine fault tolerant consensus on one value after another, from "The latest gossip on BFT consensus"
// (arXiv 1807.04938), as a table of rules named after the lines of its algorithm 1. Validators have weights, and change between heights.
// Use it where members do not trust each other and less than a third of the weight is faulty; a crash-tolerant protocol is
// cheaper among friends.
//
// # Concepts
//
// A validator at a height goes through rounds of three steps: the round's proposer proposes, all prevote, all precommit. A value that more
// than two thirds prevote is a polka: who sees it locks the value, and precommits it. More than two thirds of precommits decide.
// Locks are given up only for a newer polka, so that two decisions cannot differ. The rules are in rules_*.go, one file a phase;
// each conjunct of a guard is a condition of the paper.
//
// [Message], [Decision] and [Block] are what goes over the wire. [World] is the table with three correct validators and a faulty one,
// for package explore.
//
// # Errors
//
// [ErrMessage] and [ErrRefused] are violations of a peer; [ErrStale] and [ErrEarly] happen between correct ones.
//
// # Limits
//
// [Limits] bound what others can make a validator hold. A message is met by the cheapest check that refuses it.
//
// # Sources
//
// Buchman, Kwon, Milosevic: The latest gossip on BFT consensus, 2018, algorithm 1. Where the rules say more than the paper: a height
// begins when there is work, the proposer has a timeout too, and a validator that is behind decides by a certificate.
package tendermint
