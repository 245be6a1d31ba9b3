package sim

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrGoexit is wrapped by the error of a run in which a task called runtime.Goexit, as testing.T.FailNow does.
var ErrGoexit = errors.New("sim: a task called runtime.Goexit")

// ErrEndless is wrapped by the error of a run whose virtual time stands still; see StepsMax.
var ErrEndless = errors.New("sim: virtual time stands still")

// ErrCut is the error of a run that its Scheduler has ended.
var ErrCut = errors.New("sim: cut short by the scheduler")

// errSchedule is wrapped by the errors of ParseSchedule.
var errSchedule = errors.New("sim: not a schedule")

// DeadlockError says that every task waits and no timer is set.
type DeadlockError struct {
	Waiting []Wait
	Cycle   []string // task, what it waits for, the task that changed that last, and so on to the first; with Record
}

// Wait is one task that waits: for Vars, named by their labels, or for the end of a task.
type Wait struct {
	Task string
	For  []string
	By   []string // tasks that changed last what it waits for; with Record
}

// Error names every task and what it waits for, by age.
func (e *DeadlockError) Error() string {
	return "sim: deadlock:" + e.Graph()
}

// Graph is who waits for what, as text.
func (e *DeadlockError) Graph() string {
	var b strings.Builder
	for i, w := range e.Waiting {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s waits for %s", w.Task, strings.Join(w.For, ", "))
		if len(w.By) > 0 {
			fmt.Fprintf(&b, " (last changed by %s)", strings.Join(w.By, ", "))
		}
	}
	if len(e.Cycle) > 0 {
		b.WriteString("; cycle: " + strings.Join(e.Cycle, " -> "))
	}
	return b.String()
}

// PanicError says that a task has panicked. Stack is where.
type PanicError struct {
	Task  string
	Value any
	Stack []byte
}

// Error has the stack too.
func (e *PanicError) Error() string {
	return fmt.Sprintf("sim: panic in task %s: %v\n%s", e.Task, e.Value, e.Stack)
}

// Unwrap is the panic's value, if it was an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// StuckError says that a step did not end: the task blocks in something that is not of the world, or computes for ever.
type StuckError struct {
	Task  string
	Limit time.Duration
	Stack string
}

// Error has the stack too.
func (e *StuckError) Error() string {
	return fmt.Sprintf("sim: task %s has not come to a scheduling point for %v: it blocks outside the world "+
		"(a channel, a mutex, a real sleep), or loops\n%s", e.Task, e.Limit, e.Stack)
}

// EscapeError says that a task did something that the world cannot see.
type EscapeError struct {
	Task  string
	What  string
	Stack string
}

// Error has the stack too.
func (e *EscapeError) Error() string {
	return fmt.Sprintf("sim: task %s %s\n%s", e.Task, e.What, e.Stack)
}

// LeakError says that tasks were still there when the scenario returned.
type LeakError struct{ Tasks []string }

// Error names the tasks, by age.
func (e *LeakError) Error() string {
	return "sim: tasks outlive the scenario: " + strings.Join(e.Tasks, ", ")
}
