// Package shrink makes a schedule that leads to a failure short: few segments, so few switches between tasks, which is
// what a person has to follow. simtest uses it; call it yourself to shrink a schedule found in another way.
//
// # Concepts
//
// A schedule is cut and changed, and kept if the failure still shows. sim.Replay makes something of any schedule, so every
// cut is a run. The replays are limited; what is found by then is returned.
//
// # Sources
//
// Zeller and Hildebrandt, Simplifying and isolating failure-inducing input (2002).
package shrink
