package registry

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// ErrGoexit is the failure of a task or body that called runtime.Goexit, as testing.T.FailNow does.
var ErrGoexit = errors.New("runtime.Goexit was called")

// ErrNotReady is what [Scope.Daemon] returns for a daemon that ended without an error before it was ready.
var ErrNotReady = errors.New("registry: the daemon ended before it was ready")

// ErrReleased is what [Handle.Move] returns for a handle that is released.
var ErrReleased = errors.New("registry: the handle is released")

// ClosedError says that a scope was cancelled or closing, and what was not started or acquired for that reason. It
// unwraps to the error and the cause of the scope's context, if that has ended.
type ClosedError struct {
	Scope   string // path
	Task    string // the task or resource; the first, if several were refused
	Refused int    // how many tasks were refused, in what Run returns; else 1
	Cause   error  // of the cancellation; nil if the scope was closing without a failure

	ended error // the context's
}

// Error names the scope, what was refused and why.
func (e *ClosedError) Error() string {
	msg := fmt.Sprintf("registry: scope %q is closing: %q was not started", e.Scope, e.Task)
	if e.Refused > 1 {
		msg += fmt.Sprintf(", nor %d more", e.Refused-1)
	}
	if e.Cause != nil {
		msg += ": " + e.Cause.Error()
	}
	return msg
}

// Unwrap is the context's error and the cause.
func (e *ClosedError) Unwrap() []error {
	if e.Cause == nil {
		return nil
	}
	return []error{e.ended, e.Cause}
}

// refusal says why s does not take name, or is nil. The caller holds mu.
func (s *Scope) refusal(name string) *ClosedError {
	if !s.closing && s.ending.Err() == nil {
		return nil
	}
	return &ClosedError{Scope: s.self.path(), Task: name, Refused: 1, Cause: context.Cause(&s.self), ended: s.ending.Err()}
}

// PanicError is a panic of a task, or of a close function.
type PanicError struct {
	Task  string // the task, or the resource being released
	Value any    // what was given to panic
	Stack []byte // of the goroutine that panicked
}

// Error is the value with the stack of the goroutine that panicked.
func (e *PanicError) Error() string {
	return fmt.Sprintf("registry: panic in %q: %v\n%s", e.Task, e.Value, e.Stack)
}

// Unwrap is the panic's value, if that is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// StuckError says what had not ended when a scope's grace was over. See [WithGrace] for what becomes of it.
type StuckError struct {
	Scope string // path
	Grace time.Duration
	Left  []Tree // youngest first: tasks that have not ended, and a release that has not returned
}

// Error lists what is left, with the places where it was started.
func (e *StuckError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "registry: scope %q is not closed after %v:", e.Scope, e.Grace)
	for _, l := range e.Left {
		fmt.Fprintf(&b, "\n\t%s %q, for %v, started at %s", l.Kind, l.Name, l.Age, l.Site)
	}
	return b.String()
}

// UseError is the panic of who uses something after its end. For a handle the places are those of Acquire, of
// the release, and of the use; for a scope those of its body, of its end, and of the use.
type UseError struct {
	Name                     string
	Acquired, Released, Used string
}

// Error gives the three places.
func (e *UseError) Error() string {
	return fmt.Sprintf("registry: %q was used after its release\n\tacquired: %s\n\treleased: %s\n\tused: %s",
		e.Name, e.Acquired, e.Released, e.Used)
}

// taskError adds the task's name.
type taskError struct {
	task string
	err  error
}

func (e *taskError) Error() string { return e.task + ": " + e.err.Error() }
func (e *taskError) Unwrap() error { return e.err }

// crashed makes the error of what did not return, of e; r is nil after Goexit. The end of a simulation goes on.
func crashed(e *entry, r any) error {
	if seam.IsKill(r) {
		panic(r)
	}
	name := e.name
	if e.kind == body {
		name = e.label()
	}
	if r == nil {
		return &taskError{name, ErrGoexit}
	}
	return &PanicError{name, r, debug.Stack()}
}

// mayNot is refusal for who must belong to s: it panics if s has ended. skip is the number of frames between the caller's
// user and mayNot's caller. The caller holds mu.
func (s *Scope) mayNot(name string, skip int) *ClosedError {
	if s.ended {
		s.mu.Unlock()
		panic(&UseError{s.self.label(), codeSite(s.self.code), "end of the scope", callerSite(skip + 1)})
	}
	return s.refusal(name)
}
