// Package simtest is how a test looks for schedules under which a simulated program fails. [Check] draws many schedules,
// for programs of any size; [Explore] takes all of them, for small ones. A failure is shrunk and reported with the one
// line that replays it and with the steps of the minimal schedule. It is for tests.
//
// # Concepts
//
// A scenario is what sim.Run runs: it fails by returning an error, by a panic, a deadlock, a leak or an endless loop. It
// is run many times, so what it uses must be made inside it.
//
// A test that cannot fail is a failure: Check and Explore report a scenario in which no two tasks ever could run at once
// or, for Explore, none conflict; a fault armed with [Fault] that never came about; and a program that does something
// else when the same run is made again, which depends on the order of a map, real time or global randomness. One run of
// Check is made under sim.Guard in a bubble of testing/synctest, which finds goroutines of the program's own and sleeps
// in real time.
//
// # Replay
//
//	SIM_REPLAY='17 0*1,0.2*3' go test -run '^TestTransfer$' .
//
// With that variable set, Check and Explore make just that run and report every step. A schedule goes on past its end,
// with the task that runs. A third field ends it after as many steps, with the state as it was: '17 0*1,0.2*3 12', and
// then 11, walks backwards.
//
// # Errors
//
// All reports are t.Fatal's.
package simtest
