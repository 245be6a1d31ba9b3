package walk

import (
	"math/rand/v2"

	"github.com/synodkit/synod/sim"
)

// weighted is Weighted. A task's weight is the number of steps that it and the tasks it has yet to start took in an
// earlier run, less those taken.
type weighted struct {
	r    *rand.Rand
	last map[uint64]int // steps of a task and those below it, the most there were
	left map[uint64]int
	took map[uint64]*tree
	all  []*tree // in order of start
}

// tree is a task of the run at hand.
type tree struct {
	id     uint64
	parent *tree
	steps  int
}

// Weighted is the random walk weighted by remaining steps.
func Weighted() Strategy { return &weighted{last: map[uint64]int{}} }

func (s *weighted) String() string { return "weighted" }

func (s *weighted) Begin(seed uint64) {
	for i := len(s.all) - 1; i >= 0; i-- { // children first
		t := s.all[i]
		s.last[t.id] = max(s.last[t.id], t.steps)
		if t.parent != nil {
			t.parent.steps += t.steps
		}
	}
	s.r, s.all = generator(seed, 12), nil
	s.left, s.took = map[uint64]int{}, map[uint64]*tree{}
}

// Pick draws by weight.
func (s *weighted) Pick(ready []*sim.Task, _ int) int {
	for _, t := range ready {
		s.see(t) // takes from its parent's weight
	}
	total := 0
	for _, t := range ready {
		total += max(1, s.left[t.ID()])
	}
	x := s.r.IntN(total)
	for i, t := range ready {
		id := t.ID()
		if x -= max(1, s.left[id]); x < 0 {
			s.took[id].steps++
			s.left[id]--
			return i
		}
	}
	panic("walk: weights do not add up")
}

// see notes a task that has started: its steps are its own now, not its parent's.
func (s *weighted) see(t *sim.Task) *tree {
	id := t.ID()
	if k := s.took[id]; k != nil {
		return k
	}
	k := &tree{id: id}
	if p := t.Parent(); p != nil {
		k.parent = s.see(p)
		s.left[p.ID()] -= s.last[id]
	}
	s.left[id] = s.last[id]
	s.took[id] = k
	s.all = append(s.all, k)
	return k
}
