// Package property says what must hold in a simulated run: as transactions over what components show of themselves, looked at after every
// step, and over the events they emit. It is for simulations only; what must hold of one moment in production is a test of its own.
//
// # Concepts
//
// A [Property] is declared, and watched from [Watch] to the end of the run. Its predicates are queries: they read any Vars of any components, in one
// transaction, and have no effects.
//
//   - [Always] and [Never]: of every state between two steps. No state is missed, however short: the predicate is looked at directly after each
//     step that changes something it has read. [Holds] is Always for a check that says what is wrong.
//   - [Eventually] within a time.
//   - [LeadsTo]: wherever p holds, q does, then or within a time.
//   - [Cold]: p holds for no longer than a time at a stretch. What must cool down is a hot state: a request unanswered, a leader missing.
//   - [Sometimes]: in some run of the test. One that is never seen says that the test does not test what it seems to.
//
// [Record] keeps the events of a typed tracer as something to ask in a transaction; [EachEvent] and [Answered] are properties of a stream of events.
//
// A property is beside the run: watching one takes no step and leaves the schedule as it is.
//
// # Errors
//
// What does not hold ends the run with an [Error], which unwraps to [ErrViolated] and has the wait graph at that moment: who waits for which labelled
// Var, and with sim.Record a cycle. A promise not yet kept when the scenario returns is broken too.
//
// # Limits
//
// Properties are for tasks that wait; a deadlock is reported as such, also while a promise has time left. In an exploration a property must read the same Vars
// at each look (read first, then decide): what it reads makes steps dependent, and a Var read only now and then would leave out orders. A predicate that retries counts as
// undecided.
//
// # Testing
//
// Each kind is broken on purpose, for one step, by a schedule that a look by an ordinary task would miss.
//
// # Sources
//
// Coyote's hot states; Antithesis's sometimes assertions; Lamport's leads-to.
package property
