// Package env is the world a task runs in: its time, its timers, its chance, its fail points and its contexts. The same
// calls work in production and inside a simulation, where time is virtual and every choice follows from a seed. Code
// that is to run in both must take all of these from here. A program that will never be simulated does not need it.
//
// # Concepts
//
// The world comes with the context: env.Now(ctx) is the machine's time in production, the virtual time in a
// simulation. Waiting for time is waiting in a transaction: [Reached] is a condition like any other, so a deadline can
// be waited for together with a queue, a peer and a disk. [Sleep] and [Timer] are made of it. Nothing runs in the
// background for a wait: the wake-up belongs to the parked transaction and goes away with it, whatever else ended the
// wait. Any number of transactions may wait for one instant.
//
//	at := env.Now(ctx).Add(time.Second)
//	x, err := stm.Query(ctx, func(tx *stm.Tx) int {
//		if env.Reached(tx, at) {
//			return -1 // too late
//		}
//		tx.Check(ready.Get(tx))
//		return value.Get(tx)
//	})
//
// # Time in a transaction
//
// [Time] is taken once a run, so that one run sees one instant, and taken anew when the transaction runs again. It is
// not waited for: a transaction that retries after looking at Time alone is not rerun because time passes.
//
// # Concurrency
//
// Every function may be called from any task of the world that ctx belongs to. The generator of [Rand] is safe for
// concurrent use in production and needs no lock in a simulation. [AfterFunc] runs its function on a goroutine of the
// standard library's in production, on the cancelling task in a simulation: it must be short and must not wait. A
// callback that needs a task of its own sets a Var that one waits for.
//
// # Errors
//
// Waits end with an error that unwraps to ctx.Err() and to context.Cause(ctx), as those of stm do.
//
// # Testing
//
// [WithFaults] arms the fail points of code under test, through the context and so for that test alone; sim.Faults does
// it for a whole simulation.
package env
