// Package stm is software transactional memory: variables that are read and written in transactions, each of which
// happens at one moment or not at all, and waits that end when something they have read changes. State that several
// goroutines share belongs here when they must see it consistently, or wait for it, across components that do not know
// each other. A counter that nobody waits for belongs in an atomic, a stream of bytes in a stream, and a private
// struct behind one lock is cheaper behind that lock.
//
// # Concepts
//
// A [Var] holds a value. A transaction is a function of a [Tx], the body, run by [Atomically], [Do] or [Query]. Queries
// of several components compose: any function of a *Tx is a part of any transaction.
//
// [Tx.Retry] undoes the run and waits until something it has read changes; [Tx.Check] is Retry unless a condition holds.
// Returning [ErrRetry] means the same and saves a panic, some 0.3 µs. [OrElse] and [Select] try alternatives in order;
// if all retry, the transaction waits for what any of them has read. [Try] is a part that can fail alone. [Watch] is a
// loop over the values of a query. [Poll] is for goroutines that also select on Go channels.
//
// An error returned by a body rolls back and is returned; so does a panic, which passes through with its stack.
//
// # What holds
//
//   - Opacity: a run, also one that will be undone, sees one moment of the committed state. A body needs no defence
//     against states that never existed; a panic on one cannot happen.
//   - Strict serializability: committed transactions have an order that respects real time.
//   - Precise wake-ups: a wait ends by a commit that wrote something it has read, by its context or by its instant
//     (Tx.WakeAt), and by nothing else. No wake-up is lost.
//   - Order: a commit wakes the waiters of the Vars it wrote in the order in which the body first wrote them, those of
//     one Var in the order in which they came, each once. All are woken; who commits first is the scheduler's choice.
//   - Rollback is exact: what an undone branch wrote is gone, its OnCommit functions too. What it read still counts.
//   - Progress: a run is repeated only if another transaction has committed, or was about to. A transaction that has not written reads the
//     values of one moment, which committers keep for it, after 4 lost runs, and after one if it had read 16 Vars: its
//     next run ends. After 16 lost runs any transaction reserves what it touches, so that the 17th commits; meanwhile
//     readers, and writers of other Vars, go on.
//   - Cancellation: ctx ends waits and reruns. It never stops a transaction that can commit at its first run, so
//     clean-up with a cancelled ctx works until it meets a conflict; context.WithoutCancel makes it certain. The error
//     unwraps to ctx.Err() and to context.Cause(ctx).
//   - Whatever ends a transaction (commit, error, cancellation, panic, runtime.Goexit) leaves nothing locked or
//     registered.
//   - A body that recovers panics cannot swallow a Retry: it retries when it returns, or at its next use of the Tx.
//   - The package starts no goroutine.
//
// # What a body may do
//
// A body may run several times, and runs that are undone leave no trace in Vars; they do in everything else. So a body
// assigns its results to captured variables, never appends to them; it does not send, lock, sleep, start anything or
// begin another transaction. [Tx.OnCommit] is for effects that belong after the commit. Values in Vars are shared: what
// a slice, map or pointer leads to is not changed after Set, but replaced.
//
// # Concurrency
//
// Everything may be called from any goroutine; a Tx only from the one that runs its body, and only there. Transactions
// on disjoint Vars do not meet, unless they read more than two Vars that have changed since anybody last did; then they
// advance one shared counter. Read-only transactions write nothing else that is shared.
//
// # Costs
//
// In ns on one goroutine of a machine with two shared cores, on which a sync.Mutex costs 4.5:
//
//	a query                        14 + 3.4 a Var
//	an update                      12 + 13 a Var; 16 a Var above 8, 20 to 30 above 16
//	Load                           2
//	an alternative that retries    12 by ErrRetry; some 300 by Tx.Retry or Tx.Check
//	a wait and its wake-up         330; 500 under a context that can end
//
// Against one lock around the same words that is 4 times a sync.RWMutex for one read, 5 times a sync.Mutex for one
// update and 25 times for eight: a lock is paid once, a transaction for every Var. So keep in one Var what is always
// used together.
//
// Nothing is allocated if the values are pointers, or have at most eight bytes and no pointer in them; otherwise one
// copy a Set. A wait under a context that can end allocates a channel, one on more than two Vars its places in their
// lists. A Var has 48 bytes, 80 more once it has had a label or a waiter; a parked transaction some 700, and its stack.
//
// What conflicts: a transaction loses its run if a Var that it has read is committed by another before it ends, by
// whatever value; false sharing of different Vars does not count. Many writers of one Var run one after the other, at
// half the throughput or less of a lock. What blocks: a commit holds the Vars it writes for less than a
// microsecond, and readers of them wait that long; readers never hold up anybody.
//
//	go test ./stm -run '^TestTable$' -table . -v
//
// measures, ours and the peers in turn, and prints the ratios.
//
// # When not to use it
//
// For a counter that nobody waits for (an atomic, or stm/tally), a stream of values between two goroutines (a channel),
// a private struct (a lock), anything large that is rewritten in one go (a pointer to an immutable value in one Var), and
// bodies that must do I/O: those cannot be undone.
//
// # Errors
//
// Misuse panics: a Tx outside its function, as long as it has not been recycled (in debug mode it never is); Retry with
// nothing read under a context that cannot end; a transaction inside the body of one that has reserved Vars, if it
// writes one of them or comes to reserve some itself (in a simulation and in debug mode: any transaction inside any body).
//
// # Testing
//
// Inside package sim a transaction is one step and every schedule repeats from its seed. In testing/synctest bubbles
// waits block durably.
//
// # Diagnosis
//
// [Debug] is a mode for tests that finds wrong use: a Tx outside its function, transactions inside bodies, bodies that
// are not pure, values changed after Set. [RecordContention] tells which Var makes which transaction run again. Both
// cost nothing while they are off. A [Model] runs bodies against a memory of its own: the base of an explorer, and of
// tests of a single body. Labels name Vars in all of these, and in the registry's dump of what each task waits for.
//
// # Sources
//
// Dice, Shalev, Shavit, Transactional Locking II (2006); Riegel, Felber, Fetzer, A Lazy Snapshot Algorithm with Eager
// Validation (2006), for the extension; Harris, Marlow, Peyton Jones, Herlihy, Composable Memory Transactions (2005),
// for Retry and OrElse; Guerraoui, Kapałka, On the Correctness of Transactional Memory (2008), for opacity.
package stm
