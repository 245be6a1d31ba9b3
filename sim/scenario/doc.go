// Package scenario is a simulated test written down as data: nodes, workload, faults, properties and when it is over. It is for
// simulations only, and is run by sim.Run, simtest.Check or a replay like any other program.
//
// # Concepts
//
// A [Scenario] is made anew inside each run, and [Scenario.Run] goes through two phases.
//
//   - Safety. The nodes are up, the clients work, faults come about at times of their own chance, and properties are watched, until Until
//     holds or, without it, all clients have returned. That must happen within Limit.
//   - Liveness, if asked for. Faults end, and are undone; nodes outside of the core are crashed and stay so; the core's nodes are started if
//     they are down. From then on the scheduler is fair, and Progress must grow by By within Within: a system that is safe because it stands still fails here.
//
// In the end all nodes are crashed. A node whose life ends by itself with an error fails the scenario.
//
// A [Fault] does something again and again, after times that are drawn, and undoes it. [Crash] and [Partition] make the usual ones.
//
// # Errors
//
// What clients, nodes, faults and properties report; [ErrLimit] and [ErrNoProgress], with the wait graph. A fault that was written down and
// did not come about is in Report.Faults with 0; simtest.Check fails if that is so in all of its runs.
//
// # Testing
//
// A counter on unreliable nodes stands for a system; its broken forms (a write acknowledged too early, a client that gives up) are found.
//
// # Sources
//
// TigerBeetle's VOPR, for the two phases.
package scenario
