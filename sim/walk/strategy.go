package walk

import (
	"math/rand/v2"

	"github.com/synodkit/synod/sim"
)

// Strategy schedules runs, one after the other.
type Strategy interface {
	sim.Scheduler
	// Begin starts the next run. A run follows from its seed and from the runs before.
	Begin(seed uint64)
	String() string
}

// Portfolio is a fresh set of all strategies, in the order in which to take turns.
func Portfolio() []Strategy {
	return []Strategy{Weighted(), Random(), POS(), Weighted(), PCT(2), PCT(3)}
}

func generator(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// random is Random.
type random struct{ r *rand.Rand }

// Random is the plain random walk.
func Random() Strategy { return new(random) }

func (s *random) String() string    { return "random" }
func (s *random) Begin(seed uint64) { s.r = generator(seed, 11) }

func (s *random) Pick(ready []*sim.Task, _ int) int { return s.r.IntN(len(ready)) }
