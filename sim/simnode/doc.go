// Package simnode is the machines of a simulated world: each has a name, a clock of its own that may be wrong, and chance of its own; it can
// crash at any step and start again. What outlives a crash stands outside: a disk of package simdisk, the net of package simnet, what the
// scenario holds. It is for simulations only.
//
// # Concepts
//
// A [Node] is made once and started any number of times. What [Node.Start] runs, with all tasks that descend from it, is one life. [Node.Crash]
// ends a life within one step: its tasks are unwound and can do nothing more in the world, neither in deferred functions nor in callbacks of
// timers and contexts; its transactions have all committed, or none of them. Nothing is announced to anybody: peers find out by what they no longer hear,
// unless the scenario also cuts the node's connections (simnet.Node.Leave) or its disk's power (simdisk.Disk.PowerLoss).
//
// A [Clock] is wrong by Skew, and by DriftPPM millionths of the time passed. All that a node's tasks see of time follows it: env.Now, deadlines, timers,
// sleeps. Instants that nodes exchange are then what they are between machines: only as good as the clocks.
//
// Each node draws from a stream of chance that follows from the seed and its name alone: what others draw, or which faults come about, leaves it
// alone. It goes on over restarts.
//
// # Concurrency
//
// Any task of the world may call any method, also one of the node itself: a node that crashes itself does not come back from the call.
//
// # Errors
//
// [ErrUp] from a second Start; [ErrCrashed] is how a life ends by Crash. Outside of a simulation New panics.
//
// # Limits
//
// Deferred functions of unwound tasks do run, and what they do in Go memory happens: what a scenario shares between lives should be Vars, disks and
// nets. A task that recovers from everything is an error of the run.
//
// # Testing
//
// A polite end of a life, by cancelling, is planted in the place of a crash, and found by its ghosts. Crashes take part in the random programs by which
// package explore is validated.
package simnode
