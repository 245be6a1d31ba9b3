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
//   - Progress: a run is repeated only if another transaction has committed. After 4 lost runs a transaction that has not
//     written reads the values of one moment, which committers keep for it, so that its fifth run ends. After 16 any
//     transaction reserves what it touches, so that the 17th commits; meanwhile readers and writers of other Vars go on.
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
// Measured on two shared cores, beside the standard library: a query of one Var 14 ns (an uncontended sync.RWMutex 4.2),
// of sixteen 66 (7 to 10); an update of one Var 23 ns (sync.Mutex 4.1), of eight 106 (5 to 6); a round of two wake-ups
// 0.73 µs (unbuffered channels 0.29). No allocation if the values are pointers, or have at most eight bytes and no
// pointer in them; one per Set otherwise. A wait under a context that can end allocates a channel. A Var has 48 bytes.
//
//	go test ./stm -run '^TestTable$' -table . -v
//
// measures, ours and the peers in turn, and prints the ratios.
//
// # Errors
//
// Misuse panics: a Tx outside its function ("Tx used outside its function", as long as the Tx has not been recycled),
// Retry with nothing read under a context that cannot end, a transaction inside the body of one that has reserved Vars
// (in a simulation: inside any).
//
// # Testing
//
// Inside package sim a transaction is one step and every schedule repeats from its seed. In testing/synctest bubbles
// waits block durably.
//
// # Sources
//
// Dice, Shalev, Shavit, Transactional Locking II (2006); Riegel, Felber, Fetzer, A Lazy Snapshot Algorithm with Eager
// Validation (2006), for the extension; Harris, Marlow, Peyton Jones, Herlihy, Composable Memory Transactions (2005),
// for Retry and OrElse; Guerraoui, Kapałka, On the Correctness of Transactional Memory (2008), for opacity.
package stm
