package sim

import (
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// Guard looks after each step whether the task has started a goroutine of its own and, in a bubble of testing/synctest,
// whether it has slept in real time; either ends the run with an EscapeError. It costs little, but more than nothing:
// simtest.Check has it on in one run.
func Guard() Option {
	return func(e *engine) {
		e.guard = new(guard)
		e.bubble = seam.Now(nil).Year() == 2000 // the clock of a bubble starts there and stands still
	}
}

// guard is what things were like before a step.
type guard struct {
	began bool
	now   time.Time
	live  int // goroutines that are no tasks
}

func (g *guard) look(e *engine) {
	now, live := seam.Now(nil), runtime.NumGoroutine()-e.coroutines
	last := e.last
	defer func() { g.began, g.now, g.live = true, now, live }()
	if !g.began || last == nil || e.ending {
		return
	}
	if live > g.live {
		if stack := startedBy(e); stack != "" {
			e.fail(&EscapeError{Task: last.name, What: "started a goroutine with a go statement", Stack: stack})
		}
	}
	if e.bubble && !now.Equal(g.now) {
		e.fail(&EscapeError{Task: last.name, What: fmt.Sprintf("slept %v in real time", now.Sub(g.now))})
	}
}

// startedBy is the stack of a goroutine that a task of e has started.
func startedBy(e *engine) string {
	all := stacks()
	for _, s := range all {
		if strings.Contains(s, "created by iter.Pull") {
			continue
		}
		_, creator, ok := strings.Cut(s, " in goroutine ")
		if !ok {
			continue
		}
		creator = "goroutine " + firstLine(creator) + " "
		for _, t := range all {
			if strings.HasPrefix(t, creator) && e.isTask(t) {
				return s
			}
		}
	}
	return ""
}
