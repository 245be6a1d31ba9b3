package sim

import (
	"cmp"
	"fmt"
	"slices"

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
	for len(e.ready) == 0 && !e.finished() && e.advance() {
	}
	if e.finished() {
		return nil
	}
	if len(e.ready) == 0 {
		e.fail(e.deadlock())
		return nil
	}
	if e.instant++; e.instant > e.stepsMax {
		e.fail(fmt.Errorf("%w: %d steps at %v, some by task %s", ErrEndless, e.stepsMax, e.now, e.ready[0].name))
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
		return e.sched.Pick(e.ready, last)
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
	if t.fresh {
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
	if e.step != nil && !e.step.Blocked {
		e.step.Opaque = true
	}
	if !tok.At.IsZero() {
		alarm := e.add(&timer{at: tok.At.Sub(e.clock()) + e.now, token: tok})
		defer e.timers.drop(alarm)
	}
	e.unready(t)
	e.yield(t)
	t.token = nil
}

// Unpark makes the task that waits on tok ready.
func (e *engine) Unpark(tok *seam.Token) {
	if tok.Fired {
		return
	}
	tok.Fired = true
	if t, ok := tok.Task.(*Task); ok {
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
	if !t.yield(struct{}{}) || e.ending {
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
func (e *engine) deadlock() error {
	ts := slices.Clone(e.tasks)
	slices.SortFunc(ts, func(a, b *Task) int { return cmp.Compare(a.age, b.age) })
	d := new(DeadlockError)
	for _, t := range ts {
		d.Waiting = append(d.Waiting, Wait{t.name, t.waitsFor()})
	}
	return d
}
