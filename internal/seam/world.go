package seam

import (
	"context"
	"math/rand/v2"
	"time"
)

// World is a simulation as the packages on the seam see it.
type World interface {
	Sched
	Names
	Clock
	Tasks
}

// Sched orders transactions. All methods are called on the running task.
type Sched interface {
	// Point is a scheduling point. It stands before every visible operation.
	Point()
	// Park suspends the running task until t is fired by Unpark or by its own instant.
	Park(t *Token)
	// Unpark fires t. Firing twice is firing once.
	Unpark(t *Token)
	// Effect reports what the step just taken read and wrote. The world copies what it keeps.
	Effect(e *Effect)
	// InTx tells whether a transaction body runs: time, randomness and transactions inside one are errors.
	InTx(on bool)
}

// Names numbers what a world has touched. Ids start at 1.
type Names interface {
	// NewID is the id of a context, or of a Var of a world that explores, which the running task makes now.
	NewID() uint32
	// FirstTouch is the id of a Var that has none, at the first step that touches it.
	FirstTouch() uint32
	// Num is the process-wide number of this world, never 0.
	Num() uint32
}

// Clock is a world's time and chance.
type Clock interface {
	Now() time.Time
	// After runs fire as a task of its own when d has passed. stop reports whether it kept fire from starting.
	After(d time.Duration, fire func()) (stop func() bool)
	Rand() *rand.Rand
	// Choose picks one of 0..n-1; a named choice that a test may force.
	Choose(label string, n int) int
	// Fault is nil unless the fail point is armed.
	Fault(site string) error
}

// Tasks starts tasks and looks after contexts that the standard library derived.
type Tasks interface {
	// Spawn starts f as a task. join waits until it has ended; a happens-before edge, not a conflict.
	Spawn(name string, f func()) (join func())
	// Watch calls f once, between two steps, when ctx is found done.
	Watch(ctx context.Context, f func()) (stop func())
}

// Token is one parked wait. Each wait has its own.
type Token struct {
	Task  any       // the parked task; the world's
	Fired bool      // set by Unpark
	At    time.Time // if not zero, the world fires the token at this instant
	On    Labels    // what is waited for, asked for when a deadlock is reported; may be nil
}

// Labels gives the labels of what a transaction has touched.
type Labels interface {
	Each(f func(id uint32, label string))
}

// Effect is what one step read and wrote, as ids of the world.
type Effect struct {
	Reads, Writes []uint32
	Blocked       bool   // the step ended in a wait on Reads
	Labels        Labels // for a trace that is read by people; may be nil
}
