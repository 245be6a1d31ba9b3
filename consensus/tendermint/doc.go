// Package tendermint is Byzantine fault tolerant consensus on one block after another, from "The latest gossip on BFT consensus"
// (arXiv 1807.04938), as a table of rules named after the lines of its algorithm 1. Validators have weights, and change between heights.
// Use it where members do not trust each other and less than a third of the weight is faulty; a crash-tolerant protocol is
// cheaper among friends.
//
// # Concepts
//
// A validator at a height goes through rounds of three steps: the round's proposer proposes, all prevote, all precommit. A value that more
// than two thirds prevote is a polka: who sees it locks the value, and precommits it. More than two thirds of precommits decide.
// Locks are given up only for a newer polka, so that two decisions cannot differ. The rules are in rules_*.go, one file a phase;
// each conjunct of a guard is a condition of the paper, by its words. A decision takes three message delays.
//
// A [Replica] surrounds the rules with what the paper leaves out: admission and signatures, blocks, evidence, the application
// (consensus.App), the store, and a turn of the proposer's rotation at each height. When the application changes the validators,
// the rules are built anew for an epoch with the new ones. Proof against a validator that contradicts itself goes into a block, and so
// to the application, once an epoch.
//
// What a replica has to tell others is [Replica.Since]; what they have told goes into [Replica.Receive]. A peer that is behind is sent
// a [Decision], which proves itself; whoever joins as no validator follows in that way alone. Transports must connect each pair
// of correct replicas sooner or later, and may lose what they carry: a replica repeats itself when nothing is decided for long.
//
// [World] is the table with three correct validators and a faulty one, for package consensus/rule/explore.
//
// # Concurrency
//
// Everything of a Replica may be used from any task, but Run, which belongs to one. The application is called by that one alone.
// Sign and Verify may be called from it at any time.
//
// # Errors
//
// [ErrMessage] and [ErrRefused] are violations of a peer and go to Config.Blame; [ErrStale] and [ErrEarly] happen between correct ones and
// are dropped. Run ends with the error of the store or the application, with ErrConfig, or with [ErrForked] when a third or more
// of the weight has broken the protocol.
//
// # Limits
//
// [Limits] bound what others can make a replica hold: blocks, rounds ahead, heights ahead, bytes of messages that come too early for each
// peer. A message is met by the cheapest check that refuses it: size, form, height, epoch, membership, round, proposer, repetition,
// and only then signature and application. Of a validator that contradicts itself two messages a slot are kept, and more only for
// a value that a correct one has voted for. 256 messages wait to be looked at; then Receive waits. Decisions older than Config.Keep
// are forgotten, and no peer that far behind can catch up from this replica.
//
// # Stored form
//
// Under "tendermint/": the tip, the last snapshot, the decisions, and the blocks proposed at the next height; under "tendermint-" and the
// epoch, the rules' state (package rule). All of it is one store's, whose batches keep their order. Do not use a key with an older copy
// of its store, or in two places: the votes contradict each other, and others prove it.
//
// # Testing
//
// Every state of small worlds is explored (package assure); hidden lock and amnesia are transcripts; networks of replicas run in
// simulations with crashes, power losses, partitions, twins and changes of validators, over many seeds with -long. Planted: a forgotten
// lock, a quorum too small, a disk that lies.
//
// # Sources
//
// Buchman, Kwon, Milosevic: The latest gossip on BFT consensus, 2018, algorithm 1. Where the rules say more than the paper: a height
// begins when there is work, the proposer has a timeout too, and a validator that is behind decides by a certificate.
package tendermint
