package sim

import (
	"fmt"
	"slices"
	"strings"

	"github.com/synodkit/synod/internal/seam"
)

// pick chooses the task of the next step, or none if the run is over. It runs on the stack of the task that yields:
// control changes hands only if another task is chosen.
func (e *engine) pick() *Task {
	e.closeStep()
	if e.guard != nil {
		e.guard.look(e)
	}
	e.poll()
	e.besides()
	for len(e.ready) == 0 && !e.finished() && e.advance() {
		e.besides()
	}
	if e.finished() {
		return nil
	}
	if len(e.ready) == 0 {
		e.fail(e.deadlock())
		return nil
	}
	if e.instant++; e.instant > e.stepsMax {
		e.fail(e.endless())
		return nil
	}
	i := e.decide()
	if i < 0 {
		e.fail(ErrCut)
		return nil
	}
	t := e.ready[i]
	e.last = t
	e.steps++
	t.lastStep = e.steps
	e.hash.mix(tagStep, t.id, uint64(len(e.ready))<<32|uint64(i))
	e.text.step(e, t)
	if e.sched != nil {
		e.took(t)
	}
	if e.steps%beatEvery == 0 {
		e.beat.Add(1)
	}
	e.openStep(t)
	return t
}

// decide is the place in ready of who goes next.
func (e *engine) decide() int {
	switch {
	case e.sched != nil:
		last := -1
		if e.last != nil {
			last = e.last.at
		}
		if i := e.sched.Pick(e.ready, last); i < 0 || !e.fair || e.alone { // an exploration takes all schedules, fair ones too
			return i
		}
		return e.fairest()
	case e.fair:
		return e.fairest()
	case len(e.ready) > 1:
		return e.schedule.IntN(len(e.ready))
	}
	return 0
}

func (e *engine) finished() bool { return e.err != nil || e.mainDone }

// Point lets another task go first. A task that was just started has had its turn chosen already.
func (e *engine) Point() {
	e.check()
	t := e.cur
	if t.fresh || t.beside {
		t.fresh = false
		return
	}
	e.yield(t)
}

// Park suspends the running task until tok is fired.
func (e *engine) Park(tok *seam.Token) {
	if tok.Fired {
		return
	}
	t := e.cur
	tok.Task = t
	t.fresh, t.token = false, tok
	if e.step != nil && !e.step.Blocked && !t.beside {
		e.step.Opaque = true
	}
	if !tok.At.IsZero() {
		alarm := e.add(&timer{at: e.truth(sinceEpoch(tok.At)), token: tok, beside: t.beside})
		defer e.drop(alarm)
	}
	if t.beside {
		e.leave(t)
		t.woke = true
	} else {
		e.unready(t)
		e.yield(t)
	}
	t.token = nil
}

// Unpark makes the task that waits on tok ready.
func (e *engine) Unpark(tok *seam.Token) {
	if tok.Fired {
		return
	}
	tok.Fired = true
	if t, ok := tok.Task.(*Task); ok {
		if t.beside {
			e.due = append(e.due, t)
			e.touch(t.id) // which of two steps it sees first may matter
			return
		}
		e.makeReady(t)
		if e.step != nil && e.cur != nil {
			e.step.Woken = append(e.step.Woken, t)
		}
		e.text.wake(t)
	}
}

// yield gives the turn to whom pick chooses and returns when t has it again.
func (e *engine) yield(t *Task) {
	n := e.pick()
	if n == t {
		return
	}
	e.next = n
	e.leave(t)
}

// leave suspends t until somebody resumes it.
func (e *engine) leave(t *Task) {
	if !t.yield(struct{}{}) || e.ending || e.dead() {
		e.unwound()
	}
}

func (e *engine) makeReady(t *Task) {
	if t.at < 0 && !t.done {
		t.at = len(e.ready)
		e.ready = append(e.ready, t)
	}
}

func (e *engine) unready(t *Task) {
	if t.at < 0 {
		return
	}
	last := len(e.ready) - 1
	moved := e.ready[last]
	e.ready[t.at] = moved
	moved.at = t.at
	e.ready[last] = nil
	e.ready = e.ready[:last]
	t.at = -1
}

// deadlock names who waits for what.
func (e *engine) deadlock() error { return &DeadlockError{e.waiting(), e.cycle()} }

// endless names who goes on, and who waits.
func (e *engine) endless() error {
	var on []string
	for _, t := range e.ready {
		on = append(on, t.label())
	}
	slices.Sort(on)
	waiting := DeadlockError{e.waiting(), e.cycle()}
	return fmt.Errorf("%w: %d steps at %v; going on: %s;%s", ErrEndless, e.stepsMax, e.now, strings.Join(on, ", "), waiting.Graph())
}
