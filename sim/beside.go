package sim

import (
	"errors"
	"slices"

	"github.com/synodkit/synod/internal/seam"
)

// Beside starts f as a task beside the run: an observer. What it does is no step: the schedule does not see it and the hash does not either.
// It goes on at once, up to its first wait, and when a step ends that wait, directly after that step.
func (e *engine) Beside(name string, f func()) {
	if e.cur == nil || !e.cur.beside { // an observer may do it, in the middle of its turn
		e.check()
	}
	e.asides++
	t := &Task{name: name, id: hashOf(name) + uint64(e.asides), run: func() { e.outside(f) }, fresh: true, at: -1, own: true, beside: true}
	e.enroll(t)
	e.aside(t)
}

// aside gives the turn to t, within the step of another, until t waits.
func (e *engine) aside(t *Task) {
	cur, text := e.cur, e.text
	e.text = nil
	e.turn(t)
	e.cur, e.text = cur, text
	e.running.Store(cur)
}

// besides gives their turns to observers whose waits have ended.
func (e *engine) besides() {
	for len(e.due) > 0 && e.err == nil {
		t := e.due[0]
		e.due = e.due[1:]
		if !t.done {
			e.aside(t)
		}
	}
}

// AtEnd has f asked when the scenario has returned nil: its error is then the run's.
func (e *engine) AtEnd(f func() error) { e.atEnd = append(e.atEnd, f) }

// asked asks what is to be asked at the end.
func (e *engine) asked() {
	if !e.mainDone {
		return
	}
	for _, f := range e.atEnd {
		e.fail(f())
	}
}

// Fail ends the run with err, if it is the first failure.
func (e *engine) Fail(err error) { e.fail(err) }

func (e *engine) refuseBeside(what string) {
	if e.cur != nil && e.cur.beside {
		panic("sim: an observer cannot " + what)
	}
}

// besideEffect is what an observer did. What it wrote, as an event does, the step has written that made it.
func (e *engine) besideEffect(t *Task, x *seam.Effect) {
	if x.Blocked || t.woke {
		t.woke = false
		e.looked(t, x.Reads)
	}
	if e.step != nil {
		e.step.Writes = append(e.step.Writes, x.Writes...)
	}
}

var errReads = errors.New("sim: in an exploration an observer must read the same Vars at each look: read first, then decide")

// looked checks that an observer in an exploration reads the same Vars each time: else orders that it could tell apart may be left out.
func (e *engine) looked(t *Task, reads []uint32) {
	if !e.alone {
		return
	}
	now := slices.Clone(reads)
	slices.Sort(now)
	now = slices.Compact(now)
	if t.reads != nil && !slices.Equal(t.reads, now) {
		e.fail(errReads)
	}
	t.reads = now
}

// Arm says that something called site is to happen in this run or in another of the same test; Fired, that it did. Report.Faults has it.
func (e *engine) Arm(site string) {
	for _, f := range e.faults {
		if f.site == site {
			return
		}
	}
	e.faults = append(e.faults, &fault{site: site, quiet: true})
}

// Fired counts.
func (e *engine) Fired(site string) {
	e.Arm(site)
	for _, f := range e.faults {
		if f.site == site {
			f.fired++
			return
		}
	}
}

// Sought says that something is to be seen in this run or in another of the same test; Seen, that it was. Report.Seen has it.
func (e *engine) Sought(name string) {
	if e.seen == nil {
		e.seen = map[string]int{}
	}
	e.seen[name] += 0
}

// Seen counts.
func (e *engine) Seen(name string) {
	e.Sought(name)
	e.seen[name]++
}

// Fair makes the scheduler fair: of the tasks that can run, that one goes on which has waited longest for it.
func (e *engine) Fair(on bool) { e.fair = on }

// fairest is the place in ready of the task whose last step is the longest ago.
func (e *engine) fairest() int {
	best := 0
	for i, t := range e.ready {
		if b := e.ready[best]; t.lastStep < b.lastStep || t.lastStep == b.lastStep && t.age < b.age {
			best = i
		}
	}
	return best
}
