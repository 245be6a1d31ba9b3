// Package sim runs a whole program in one simulated world: its tasks take turns on one goroutine's worth of processor,
// time is virtual, and every scheduling decision comes from a seed. The same seed gives the same run, bit for bit, so
// that a failure found once can be had again. It simulates what is written with stm, env and registry; code that blocks
// on Go channels, locks, sockets or the disk cannot run in it. It is for tests: no production package imports it.
//
// # Concepts
//
// [Run] hands the scenario a context that carries the world; all tasks, timers, waits and cancellations that descend
// from it belong to the world. A transaction is one step, preceded by a scheduling point at which any task that can run
// may be chosen. Virtual time moves, at once, to the next timer when no task can run. Timers of one instant all go off
// together, each as a task, so their order is a choice like any other.
//
// The [Report] has a hash over every step (task, time, choices, effects): equal hashes mean equal runs.
//
// [With] puts another scheduler in the place of the seed's. Tasks have a [Task.Path], the same in runs that differ, so the
// decisions of one run can be written down as a [Schedule], changed, and followed by another with [Replay]. Below sim,
// walk draws schedules, explore takes all of them, shrink shortens one that fails, and simtest is their use in tests.
//
// # Observers and machines
//
// What is built on the world for tests stands in packages of its own: simnode starts and crashes machines with clocks and chance of their own, property watches
// predicates after every step, from beside the run, scenario puts both together. Chance comes from separate streams: of the schedule, of faults, of each
// machine, and of the workload, so that more draws from one do not change the others.
//
// # The race detector
//
// Tasks are coroutines, and each hand-over orders what was done before it, so under -race no race between tasks would ever show. With [Races] each task has a
// goroutine whose hand-overs the detector does not see: it finds a race under every schedule in which there is one. Hashes are the same.
//
// # Errors
//
// Report.Err is the error of the scenario, or says how the run broke: a [DeadlockError] names every task with the
// labelled Vars it waits for, and with [Record] a cycle among them; a [PanicError] has the stack; [ErrGoexit] is what t.FailNow in a task becomes (the test
// has failed, and Run still returns); [ErrEndless] stops a run whose time stands still; a [LeakError] names tasks that
// the scenario has not joined. Ways out of the world that plain Go offers (a go statement, context.Background,
// context.WithTimeout, a nested Run, a transaction or a look at the clock inside a body) panic with the reason, and a
// panic ends the run. A step that blocks outside the world or never ends is a [StuckError]; [Guard] finds goroutines and,
// in a bubble of testing/synctest, real sleeps, as an [EscapeError].
//
// # Concurrency
//
// Runs are independent: several may go on at once, beside production code, without a change in their traces. Run may
// not be called inside a task.
//
// # Limits
//
// A task that is stuck is lost, with its goroutine and what it holds. A panic caused on a foreign goroutine (by a go statement in
// a task) appears there, not in the Report. The context of another world that runs at the same time is noticed only by
// its Vars. Deferred functions of tasks that are unwound at the end do run; whatever they ask of the world has no
// effect. Tasks must not call runtime.LockOSThread.
//
// # Sources
//
// io-sim (input-output-hk) for steps as transactions and wake order; FoundationDB and TigerBeetle for the discipline.
package sim
