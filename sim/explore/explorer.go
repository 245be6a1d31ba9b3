package explore

import (
	"fmt"
	"slices"

	"github.com/synodkit/synod/sim"
)

// explorer is the scheduler of all runs of one exploration: a depth-first search, whose stack is the run at hand.
type explorer struct {
	rules  rules
	nodes  []*node
	depth  int // of the run at hand
	known  int // nodes that the run at hand shares with the one before, its last decision being another
	waited map[uint64][]uint32
	cut    bool
	err    error // the program is not a function of its schedule
	races  int
}

// rules are the parts of the reduction. Tests leave some out, to show that they would notice.
type rules struct {
	sleepRaces bool // race what sleeping tasks would have done against the run
	waitReads  bool // a step after a wait reads again what was waited for
	opaque     bool // anything might have ended an opaque wait
	ends       bool // the end of the run depends on everything
	choices    bool // all of env.Choose
}

func sound() rules { return rules{true, true, true, true, true} }

func (x *explorer) begin() {
	x.depth, x.cut, x.waited = 0, false, map[uint64][]uint32{}
}

// Pick replays the stack and then extends it.
func (x *explorer) Pick(ready []*sim.Task, last int) int {
	if x.err != nil {
		return -1
	}
	if x.depth < len(x.nodes) {
		n := x.nodes[x.depth]
		x.depth++
		for i, t := range ready {
			if t.ID() == n.chosen {
				return i
			}
		}
		x.diverged(fmt.Sprintf("task %s could run and now cannot", n.taken.path))
		return -1
	}
	n := &node{}
	if x.depth > 0 {
		n = x.nodes[x.depth-1].child()
	}
	i := n.first(ready, last)
	if i < 0 {
		x.cut = true
		return -1
	}
	x.nodes = append(x.nodes, n)
	x.depth++
	return i
}

// first chooses by default: the task that runs, so that switches are few, or else the oldest that does not sleep.
func (n *node) first(ready []*sim.Task, last int) int {
	byAge := slices.Clone(ready)
	slices.SortFunc(byAge, func(a, b *sim.Task) int {
		if a.Older(b) {
			return -1
		}
		return 1
	})
	for _, t := range byAge {
		n.enabled = append(n.enabled, t.ID())
	}
	if last < 0 || n.asleep(ready[last].ID()) {
		last = slices.IndexFunc(byAge, func(t *sim.Task) bool { return !n.asleep(t.ID()) })
		if last < 0 {
			return -1
		}
		last = slices.Index(ready, byAge[last])
	}
	n.chosen = ready[last].ID()
	n.want = append(n.want, n.chosen)
	return last
}

// Choose replays a choice, or begins with the first alternative.
func (x *explorer) Choose(_ *sim.Task, label string, size int) int {
	if !x.rules.choices {
		return 0
	}
	n := x.nodes[x.depth-1]
	for i := range n.choices {
		if c := &n.choices[i]; !c.used {
			c.used = true
			if c.n != size {
				x.diverged(fmt.Sprintf("choice %s was of %d and is of %d", label, c.n, size))
			}
			return min(c.k, size-1)
		}
	}
	n.choices = append(n.choices, choice{size, 0, true})
	return 0
}

// Took notes what the step has done.
func (x *explorer) Took(s *sim.Step) {
	n := x.nodes[x.depth-1]
	id := s.Task.ID()
	var waited []uint32
	if x.rules.waitReads {
		waited = x.waited[id]
	}
	e := newEvent(s, waited)
	e.path = s.Task.Path()
	e.access.all = e.access.all && x.rules.ends
	if s.Blocked {
		x.waited[id] = slices.Clone(s.Reads)
	} else {
		delete(x.waited, id)
	}
	if x.depth < x.known && !(n.taken.access.equal(e.access) && n.taken.moves == e.moves) {
		x.diverged(fmt.Sprintf("task %s did something else", e.path))
	}
	n.taken = e
	for i := range n.choices {
		n.choices[i].used = false
	}
}

func (x *explorer) diverged(what string) {
	if x.err == nil {
		x.err = fmt.Errorf("%w: step %d: %s", ErrDiverged, x.depth, what)
	}
}

// learn draws the conclusions of a finished run and moves the stack to the next. False: everything was explored.
func (x *explorer) learn() bool {
	events := make([]event, len(x.nodes))
	for i, n := range x.nodes {
		events[i] = n.taken
	}
	o := newOrder(events, x.race)
	x.endings(events)
	if x.rules.opaque {
		x.opaqueWaits(o)
	}
	if x.rules.sleepRaces {
		x.sleepers(o)
	}
	for len(x.nodes) > 0 {
		top := len(x.nodes) - 1
		if x.nodes[top].turn() {
			x.known = top + 1
			return true
		}
		x.nodes[top] = nil
		x.nodes = x.nodes[:top]
	}
	return false
}
