// Package walk has ways to wander through the schedules of a simulated program: each run takes one schedule, drawn so
// that bugs of some kind are likely to show. No way is best at all kinds, so [Portfolio] takes turns. To see all
// schedules of a small program use package sim/explore; simtest.Check drives this package.
//
// # Concepts
//
// A [Strategy] is a sim.Scheduler for many runs, one after the other: Begin starts the next. What it has learnt of the
// program in one run (how many steps a task takes, what they use) it uses in the next.
//
//   - [Random] gives each task that can run the same chance at each step. It misses what needs a long task to be
//     overtaken, or to be left behind, at one place.
//   - [Weighted] gives each task a chance in proportion to the steps it still has to take, which comes close to the same
//     chance for each schedule. The best of them on most programs.
//   - [PCT] gives tasks fixed random priorities and lowers the running one's at a few random steps: a bug that needs
//     depth ordered steps is found with a probability that does not depend on the noise of other steps. Unfair.
//   - [POS] gives each next step a random priority, drawn anew when a conflicting step was taken: schedules that differ
//     only in the order of independent steps are not drawn more often.
//
// # Concurrency
//
// A strategy belongs to one goroutine.
//
// # Sources
//
// Burckhardt et al., A randomized scheduler with probabilistic guarantees of finding bugs (2010), for PCT; Yuan et al.,
// Partial order aware concurrency sampling (2018), for POS; Zhao et al., Selectively uniform concurrency testing (2025),
// for Weighted.
package walk
