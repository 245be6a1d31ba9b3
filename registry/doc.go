// Package registry gives every goroutine and every resource an owner. A [Scope] is a lexical region, opened and closed
// by [Run]: what is started or acquired in it has ended and is released when Run returns, whatever happened. Do not use
// it for a goroutine that must outlive its starter without anybody waiting for it: there is no such thing here.
//
// # Concepts
//
// Tasks ([Scope.Go], [Fork]) do work that the scope waits for. Daemons ([Scope.Daemon], [Supervise]) serve until the
// scope closes. Resources ([Acquire]) are opened and closed. All share one stack, in order of age.
//
// A scope ends in one of two ways. If its body returns nil, Run waits for the tasks, which may start more; then it
// closes: daemons are stopped and resources released, youngest first, so that each outlives what was built on it. If
// anything fails, or the context ends, everything is cancelled at once, and the stack is closed youngest first: tasks
// and daemons are waited for, resources are released, each in its turn. An older task may find a younger resource
// released then; what a task acquires for itself therefore belongs in a scope of its own.
//
// The context carries the scope: Run under a task's context makes a scope below it. Which code fails is told by names:
// [Path] gives those of a context, [Dump] those of a whole tree, with what each task waits for. Of a scope in which
// nobody can go on, because all wait for what only they write ([Owned] says what that is), it says deadlock.
//
// # Failures
//
//   - An error of the body, a task or a daemon, a panic, or Goexit, cancels the others at once and is returned by Run.
//     Several are joined, in order of appearance; none is dropped for being second.
//   - An error that says nothing but "cancelled", with the cause that is reported anyway, is an echo and left out: every
//     leaf of its tree is the cancellation, its cause, or a failure reported already. An error that joins a cancellation
//     with something else is reported whole, and so is a panic with a cancellation as its value.
//   - If ctx ended from outside and somebody said so, and there is nothing else to report, Run returns that error.
//   - A panic of a task never ends the process: Run returns it as a *[PanicError] with value and stack.
//   - A panic of the body goes on in the caller of Run, with its own value, once the scope is closed; so does Goexit.
//     Other failures are then in the events alone, because there is nobody to return them to.
//   - A release attempts everything: an error, panic or Goexit of one close function is reported and the rest is
//     released. Close functions run under a context that is not cancelled.
//   - With [WithGrace], a closing that takes too long makes Run return a *[StuckError] naming what is left and where it
//     was started. Go cannot end a goroutine, so it stays owned: see WithGrace.
//
// # Concurrency
//
// A Scope and its handles may be used from any task of the scope. Starting something in a scope that is closing does
// not run it and is reported as a *[ClosedError]; in one that has ended it panics, because only somebody who does not
// belong to the scope can do that. A task must not wait for the end of its own scope.
//
// In a simulation tasks are those of the simulated world, so the same program runs in both. Starting
// and joining tasks uses no Vars there, so that it is no source of conflicts between tasks; each Fork, the readiness of each
// Daemon and each wait for somebody else's release has one of its own.
//
// # Cost
//
// A task costs one allocation of 80 bytes besides the goroutine's own; where it was started is found when somebody
// asks, and its time of birth is read from the clock once for tasks that are started in one go. A scope makes its
// context when somebody asks for more of it than whether it has ended. Benchmarks in bench_test.go print the ratios to
// errgroup and to a hand-written sync.WaitGroup with a first error, taken in turns; docs/from-errgroup.md has figures.
//
// # Errors
//
// [ClosedError], [PanicError], [StuckError], [RestartError], [ErrGoexit], [ErrNotReady], [ErrReleased]; [UseError] is
// the value of the one panic that is the caller's fault, the use of something after its end.
//
// # Limits
//
// Nothing bounds the number of tasks of a scope: the caller does, with a gate. There is no list of all scopes in the
// process, because a goroutine that a global can reach is never found leaking by the runtime's profile
// (GOEXPERIMENT=goroutineleakprofile). For the same reason a scope does not lead to what its tasks hold: who keeps
// one, to picture it, reaches their names and contexts alone.
//
// # Testing
//
// Package registrytest fails a test that leaves goroutines, scopes, listeners or files behind.
//
// # Sources
//
// Cardano's resource-registry (release in reverse order, transfer, three places of a use after release), Trio's
// nurseries and Java's StructuredTaskScope (failures), Erlang's supervisors (restarts).
package registry
