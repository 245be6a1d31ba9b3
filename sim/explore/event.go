package explore

import (
	"slices"

	"github.com/synodkit/synod/sim"
)

// event is one step of a run, as far as the order of steps matters.
type event struct {
	task    uint64
	path    string
	access  access
	moves   int      // of time before it
	before  []uint64 // tasks whose end it has seen
	started []uint64
	woken   []uint64
	waits   bool // for Vars and contexts
	opaque  bool // waits for something else
	ended   bool
}

// access is what a step uses. Two steps are independent if neither writes what the other uses.
type access struct {
	reads, writes []uint32 // sorted
	all           bool     // it ends the run, so it is independent of nothing
}

func (a *access) normalize() {
	slices.Sort(a.reads)
	slices.Sort(a.writes)
	a.reads, a.writes = slices.Compact(a.reads), slices.Compact(a.writes)
}

// with is the union.
func (a access) with(b access) access {
	u := access{slices.Concat(a.reads, b.reads), slices.Concat(a.writes, b.writes), a.all || b.all}
	u.normalize()
	return u
}

func (a access) dependent(b access) bool {
	return a.all || b.all || meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes)
}

func (a access) equal(b access) bool {
	return a.all == b.all && slices.Equal(a.reads, b.reads) && slices.Equal(a.writes, b.writes)
}

// meet reports whether two sorted sets have a common member.
func meet(a, b []uint32) bool {
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] < b[0]:
			a = a[1:]
		case a[0] > b[0]:
			b = b[1:]
		default:
			return true
		}
	}
	return false
}

// newEvent copies a step. waited is what the task had read when it began to wait, if it did: that it goes on at all
// depends on it, so it counts as read again.
func newEvent(s *sim.Step, waited []uint32) event {
	e := event{
		task: s.Task.ID(), moves: s.Moves, waits: s.Blocked, opaque: s.Opaque, ended: s.Ended,
		before: ids(s.Joined), started: ids(s.Started), woken: ids(s.Woken),
		access: access{reads: slices.Concat(s.Reads, waited), writes: slices.Clone(s.Writes), all: s.Last},
	}
	e.access.normalize()
	return e
}

func ids(ts []*sim.Task) []uint64 {
	if len(ts) == 0 {
		return nil
	}
	x := make([]uint64, len(ts))
	for i, t := range ts {
		x[i] = t.ID()
	}
	return x
}
