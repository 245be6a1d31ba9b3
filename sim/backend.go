//go:build !race

package sim

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/synodkit/synod/internal/seam"
)

// backend is how tasks run: each on its coroutine, which calls the engine directly. See backend_race.go for the other one.
type backend struct{ races bool }

type actor struct{}

func (e *engine) open() (done func()) {
	e.face = e
	return func() {}
}

// ordered is f after what the caller has done.
func ordered(f func()) func() { return f }

// outside runs what a task does: code of the caller's, not of the engine's.
func (e *engine) outside(f func()) { f() }

func (e *engine) goexit() { runtime.Goexit() }

// isTask reports whether stack is that of a task of e.
func (e *engine) isTask(stack string) bool {
	return strings.Contains(stack, fmt.Sprintf("sim.(*engine).body(%p", e))
}

// runs reports whether stack is that of the task that runs.
func (e *engine) runs(stack string) bool {
	return e.isTask(stack) && !strings.Contains(firstLine(stack), "[coroutine")
}

var _ seam.World = (*engine)(nil)
