package walk

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/synodkit/synod/sim"
)

// pct is PCT.
type pct struct {
	r        *rand.Rand
	depth    int
	steps    int // of the run at hand
	longest  int // of all runs
	changes  []int
	priority map[uint64]int
}

// PCT is probabilistic concurrency testing for bugs that need depth steps in order.
func PCT(depth int) Strategy { return &pct{depth: depth} }

func (s *pct) String() string { return fmt.Sprintf("pct(%d)", s.depth) }

func (s *pct) Begin(seed uint64) {
	s.r = generator(seed, 13)
	s.longest = max(s.longest, s.steps, 1)
	s.steps, s.priority, s.changes = 0, map[uint64]int{}, nil
	for range s.depth - 1 {
		s.changes = append(s.changes, 1+s.r.IntN(s.longest))
	}
}

// Pick takes the task of the highest priority.
func (s *pct) Pick(ready []*sim.Task, _ int) int {
	s.steps++
	for _, t := range ready {
		if _, ok := s.priority[t.ID()]; !ok {
			s.priority[t.ID()] = s.depth + int(s.r.Uint32())
		}
	}
	best := s.best(ready)
	if i := slices.Index(s.changes, s.steps); i >= 0 {
		s.priority[ready[best].ID()] = i
		best = s.best(ready)
	}
	return best
}

func (s *pct) best(ready []*sim.Task) int {
	best := 0
	for i, t := range ready {
		if s.priority[t.ID()] > s.priority[ready[best].ID()] {
			best = i
		}
	}
	return best
}
