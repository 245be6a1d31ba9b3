package sim

import (
	"errors"
	"fmt"
	"strings"
)

// ErrGoexit is wrapped by the error of a run in which a task called runtime.Goexit, as testing.T.FailNow does.
var ErrGoexit = errors.New("sim: a task called runtime.Goexit")

// ErrEndless is wrapped by the error of a run whose virtual time stands still; see StepsMax.
var ErrEndless = errors.New("sim: virtual time stands still")

// DeadlockError says that every task waits and no timer is set.
type DeadlockError struct{ Waiting []Wait }

// Wait is one task that waits: for Vars, named by their labels, or for the end of a task.
type Wait struct {
	Task string
	For  []string
}

// Error names every task and what it waits for, by age.
func (e *DeadlockError) Error() string {
	var b strings.Builder
	b.WriteString("sim: deadlock:")
	for i, w := range e.Waiting {
		if i > 0 {
			b.WriteByte(';')
		}
		fmt.Fprintf(&b, " %s waits for %s", w.Task, strings.Join(w.For, ", "))
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

// LeakError says that tasks were still there when the scenario returned.
type LeakError struct{ Tasks []string }

// Error names the tasks, by age.
func (e *LeakError) Error() string {
	return "sim: tasks outlive the scenario: " + strings.Join(e.Tasks, ", ")
}
