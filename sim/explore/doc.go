// Package explore runs a simulated program under every schedule, up to equivalence: two schedules that differ only in
// the order of steps that do not use the same Vars lead to the same outcome, and one of them is enough. It is for small
// programs, of a few tasks with a few steps each; for larger ones draw schedules with package sim/walk. simtest.Explore
// is how tests use it.
//
// # Concepts
//
// A step is a transaction, with the code that follows it up to the next scheduling point. Two steps are independent if
// neither writes a Var or context that the other reads or writes; the engine tells what each has used. Starting and
// joining tasks order steps and conflict with nothing, and neither do time's moves: time moves only when no task can
// run, so a step before a move is before every step after it. The end of the scenario depends on everything.
//
// [All] is a depth-first search over runs from the start. After each run it looks for conflicting steps that nothing
// else orders and makes sure that a run with the other order follows (source sets); a task whose next step was explored
// at a decision sleeps below its other alternatives, until a step that its own depends on has been taken (sleep sets).
// Every value of env.Choose is taken.
//
// # Soundness
//
// The published algorithm is for steps whose variables do not depend on values. Those of a transaction do, so a conflict
// may be there in one order and not in another. Hence what a sleeping task would have used is raced against the run too,
// and a step after a wait counts as reading what was waited for. A test compares the outcomes of thousands of random
// programs with those of all their schedules, and shows that without either rule some are missed.
//
// Two steps that an observer (package property) could tell apart are dependent, so every state is seen. The crash of a machine is dependent on
// every step of its tasks; these end, in exploration, by a step of their own. Both stand in the random programs too.
//
// # Errors
//
// [ErrDiverged] if the program did something else under the same schedule: it depends on the order of a map, real time,
// or memory that outlives the run. A context.WithCancel of the standard library panics: its end is no step.
//
// # Limits
//
// Tasks that share memory in other ways than through Vars are not seen to conflict. Neither is the order in which a
// registry scope notes failures of several tasks. Vars that are not made by stm.NewVar inside the scenario count as one,
// which only costs runs. env.Rand gives each task the same numbers in all runs. Runs are stateless: memory is that of one
// run, and time grows with the number of inequivalent schedules, which is exponential in the number of conflicts.
//
// # Sources
//
// Abdulla, Aronis, Jonsson, Sagonas, Optimal dynamic partial order reduction (2014), for source sets; Godefroid (1996),
// for sleep sets; IOSimPOR (input-output-hk) for steps as transactions. The rules for values are our own.
package explore
