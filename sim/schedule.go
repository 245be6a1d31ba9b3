package sim

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/synodkit/synod/internal/seam"
)

// pick chooses the task of the next step, or none if the run is over. It runs on the stack of the task that yields:
// control changes hands only if another task is chosen.
func (e *engine) pick() *task {
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
	i := 0
	if len(e.ready) > 1 {
		i = e.schedule.IntN(len(e.ready))
	}
	t := e.ready[i]
	e.steps++
	e.hash.mix(tagStep, uint64(t.id), uint64(len(e.ready))<<32|uint64(i))
	e.text.step(e, t)
	return t
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
	if t, ok := tok.Task.(*task); ok {
		e.makeReady(t)
		e.text.wake(t)
	}
}

// yield gives the turn to whom pick chooses and returns when t has it again.
func (e *engine) yield(t *task) {
	n := e.pick()
	if n == t {
		return
	}
	e.next = n
	if !t.yield(struct{}{}) || e.ending {
		e.unwound()
	}
}

func (e *engine) makeReady(t *task) {
	if t.at < 0 && !t.done {
		t.at = len(e.ready)
		e.ready = append(e.ready, t)
	}
}

func (e *engine) unready(t *task) {
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
	slices.SortFunc(ts, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	d := new(DeadlockError)
	for _, t := range ts {
		d.Waiting = append(d.Waiting, Wait{t.name, t.waitsFor()})
	}
	return d
}
