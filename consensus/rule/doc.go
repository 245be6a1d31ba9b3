// Package rule writes a protocol as a table of rules, "upon <guard> do <action>", named after the lines of its paper, and
// runs the table: over a disk, with messages and timers, one module a task. The same table is looked at state by state by
// package explore and runs in package sim. Take it for protocols whose paper is made of such rules (consensus,
// replication, reliable broadcast). A dialogue of two parties who take turns is a session of package p2p; a computation
// that waits at many places is a task with Vars.
//
// # Concepts
//
// A [Table] declares an instance's state in a [Space] and lists its rules:
//
//   - state: a [Var] that is [Durable], [Volatile] or an [Output]; a [Log]; a [Timer]; a [Pool] of facts. It belongs to the
//     rules of its instance. Other modules see Outputs, and messages.
//   - rules: [Upon] a condition on the state, [For] each binding of a domain, [On] a message. A guard is a chain of named
//     conjuncts, return tx.Given("step = propose", ...) && ..., which tools can list, delete and tell as what blocks. It is
//     total and has no effect: it is evaluated any number of times, or not at all. Command rulevet checks the form.
//   - actions read and write state, and say messages by [Tx.Send]. Say what is owed as state, and let one rule send it:
//     then a turn with a hundred reasons sends one message, without any code for batching.
//
// [Open] makes a [Module] of a table: Post gives it messages, Run runs it. A [World] puts instances of it side by side, and a
// [Machine] makes their steps; package explore does that for all of them.
//
// # A turn
//
// A turn takes the messages that have come, at most DrainMax, and gives each to the first On rule whose guard holds; then
// rules about state fire in table order, again and again, until none holds; all in one transaction. So the order follows
// from the order of messages and the table. A guard that was false is evaluated again only once something it has read was
// written, a timer it has asked has expired, or, if it reads other modules through Tx.Outer, in every turn.
//
// # Durability
//
// What a turn changes in Durable Vars, Logs and Pools is handed to the store as one batch. What it says and shows (messages,
// Outputs) waits until that batch is durable, and so does what later turns say; turns go on meanwhile, and their batches
// share the disk's syncs. So a state that is lost in a crash was never seen, and a crash means: what is not durable is
// initial again. A module cannot forget this. [Tx.Early] is the one exception: such a message leaves at once, and must be
// true without what is still to be written, see [Log.Synced]; explore it with World.Unsynced.
//
// After a restart, what Pools have said is said again. A store of another cluster, process, version or structure is refused
// with [ErrIdentity].
//
// # Concurrency
//
// A Table is a value; modules of one table may run side by side. Post, Offer, Why and Seen may be called from any task, Run
// and Turn from one. A Tx is valid while its rule runs. Out is called on the module's task: it must not wait for another
// module that may be waiting for this one. Two modules that Post to each other, each with a full inbox, would wait for
// ever; a network that offers and drops what does not fit, or a task for each peer, does not.
//
// # Errors
//
// Run ends with the error of its context, of the store, or of Out; or with [ErrBroken], if a turn fires more than FiringsMax
// rules or the process says two things in one slot of a pool. After an error the module is finished: open it anew. A panic of
// a rule passes through Run.
//
// # Limits
//
// InboxMax messages wait, HeldMax turns wait for the disk, a turn fires FiringsMax rules and changes what fits into one
// batch of the store; a Pool keeps what its Limits say. A
// Log is as long as its rules let it grow: they compact it. Masks have 64 bits: cells beyond the 62nd share one, which costs
// evaluations. A value that was Set must not be changed afterwards; nothing checks that.
//
// # Costs
//
// The replication loop of bench_test.go allocates 2 to 3 objects a proposal at 128 outstanding, payload included, and 23 at one
// (eight messages in eleven turns); go test -bench . measures. A false guard costs a few nanoseconds a conjunct.
//
// # Testing
//
// [Machine.Why] and [Module.Why] say which conjunct blocks a rule. Wiring.Trace has one event for each rule that fired.
//
// # Sources
//
// Lamport, Specifying Systems (2002), for actions as guarded steps; Chandy and Misra, Parallel Program Design (1988), for
// firing until nothing holds; the Internet Computer's artifact pools, for facts; Algorand's agreement, for contracts of
// single steps; Hagmann, Reimplementing the Cedar File System (1987), for group commit.
package rule
