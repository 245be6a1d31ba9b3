package sim

import (
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// stuckAfter is the default of StuckAfter.
const stuckAfter = 30 * time.Second

// StuckAfter limits the real time that a few steps may take, by default 30 seconds: a task that blocks in a Go channel or a
// mutex, sleeps in real time, or never comes to a scheduling point ends the run with a StuckError after at most twice
// that. What the task holds, and its goroutine, are lost: nothing in Go can end it. 0 is no limit.
func StuckAfter(d time.Duration) Option { return func(e *engine) { e.limit = d } }

// watch is how Run sees, from outside, whether the run goes on.
type watch struct {
	limit   time.Duration
	beat    atomic.Uint64        // counts every so many steps
	running atomic.Pointer[Task] // whose turn it is
}

// beatEvery steps count as one beat. A run that takes fewer in the limit is stuck.
const beatEvery = 8

// wait returns when the run is over, or stuck.
func (e *engine) wait(done <-chan any) error {
	for {
		was := e.beat.Load()
		broken, over := e.waitFor(done)
		switch {
		case over && broken != nil:
			panic(broken)
		case over:
			return nil
		case was == e.beat.Load():
			return e.stuck()
		}
	}
}

func (e *engine) waitFor(done <-chan any) (broken any, over bool) {
	if e.limit <= 0 {
		return <-done, true
	}
	t := seam.NewTimer(e.limit)
	defer t.Stop()
	select {
	case broken = <-done:
		return broken, true
	case <-t.C:
		return nil, false
	}
}

func (e *engine) stuck() error {
	err := &StuckError{Limit: e.limit}
	if t := e.running.Load(); t != nil {
		err.Task = t.name
	}
	for _, stack := range stacks() {
		if e.runs(stack) {
			err.Stack = stack
		}
	}
	return err
}

// stacks are those of all goroutines.
func stacks() []string {
	buf := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) {
			return strings.Split(string(buf[:n]), "\n\n")
		}
		buf = make([]byte, 2*len(buf))
	}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
