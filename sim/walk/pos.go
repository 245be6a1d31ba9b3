package walk

import (
	"math/rand/v2"
	"slices"

	"github.com/synodkit/synod/sim"
)

// pos is POS. What a task's next step will use is taken from an earlier run.
type pos struct {
	r        *rand.Rand
	priority map[uint64]uint64
	taken    map[uint64]int // steps of each task in the run at hand
	known    map[place]use
	last     use // of the step taken
	any      bool
}

// place is a step of a task.
type place struct {
	task uint64
	step int
}

type use struct{ reads, writes []uint32 }

func (a use) conflicts(b use) bool {
	meet := func(x, y []uint32) bool {
		return slices.ContainsFunc(x, func(id uint32) bool { return slices.Contains(y, id) })
	}
	return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes)
}

// POS is partial order sampling.
func POS() Strategy { return &pos{known: map[place]use{}} }

func (s *pos) String() string { return "pos" }

func (s *pos) Begin(seed uint64) {
	s.r = generator(seed, 14)
	s.priority, s.taken, s.any = map[uint64]uint64{}, map[uint64]int{}, false
}

// Pick takes the task of the highest priority, after drawing anew for those that raced with the last step.
func (s *pos) Pick(ready []*sim.Task, _ int) int {
	best := -1
	for i, t := range ready {
		id := t.ID()
		p, ok := s.priority[id]
		if !ok || s.any && s.known[place{id, s.taken[id]}].conflicts(s.last) {
			p = s.r.Uint64()
			s.priority[id] = p
		}
		if best < 0 || p > s.priority[ready[best].ID()] {
			best = i
		}
	}
	return best
}

// Took remembers what a step has used.
func (s *pos) Took(step *sim.Step) {
	id := step.Task.ID()
	s.last = use{slices.Clone(step.Reads), slices.Clone(step.Writes)}
	s.known[place{id, s.taken[id]}] = s.last
	s.taken[id]++
	s.any = true
	delete(s.priority, id)
}
