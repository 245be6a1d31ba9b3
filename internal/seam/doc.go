// Package seam is the one place where a simulated world meets the packages that can live in it: stm parks and wakes
// through it, env takes time, randomness and timers from it, registry starts and joins tasks with it. It is internal:
// programs see env, registry and stm, never this.
//
// # Concepts
//
// A [World] is one running simulation. The context says which world a call belongs to ([From]); the world says which
// task runs, because it runs one at a time. Nothing about a task is ever read from a context, so a parent's context
// captured by a child is harmless. A nil World is production.
//
// # Cost
//
// A process-wide counter of running simulations stands before every look-up, so that production pays one atomic load.
//
// # The guard
//
// While a simulation runs, a goroutine-local mark checks that tasks and contexts go together. The mark is
// runtime/debug.SetPanicOnFault, the only goroutine-local bit that the stock toolchain offers; nothing else in the
// module may touch it (stm borrows it on goroutines that are no tasks, see stm/serial.go).
//
//   - mark set, context without a world: context.Background inside a task; [From] panics;
//   - mark clear, context with a world: a go statement, context.AfterFunc, time.AfterFunc or the body of an iter.Pull
//     inside a task; the world panics on that goroutine.
//
// What it cannot see: the context of another simulation that runs at the same time (a Var used by both panics in
// stm), and a context type of the user's own with its own Done channel, over which the standard library starts a
// goroutine.
//
// # Contexts
//
// Inside a simulation contexts are [Ctx]: ours around a standard one, so that context.Cause, deadlines and contexts
// derived by the standard library work, while callbacks run in order, in the canceller's step. Derive with
// [WithCancel] and [WithTimeout]; package env exports them. context.WithCancel over ours is honoured (polled after
// each step); context.WithTimeout is refused at the first wait, because its timer runs on real time.
package seam
