package shrink_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/shrink"
)

// long is a schedule of n segments of a few tasks.
func long(n int) sim.Schedule {
	r := rand.New(rand.NewPCG(1, 2))
	var s sim.Schedule
	for range n {
		s.Segments = append(s.Segments, sim.Segment{Path: fmt.Sprint("0.", 1+r.IntN(4)), N: 1 + r.IntN(3)})
	}
	return s
}

// reaches holds if the schedule lets task 0.1 take so many steps.
func reaches(n int) func(s sim.Schedule) bool {
	return func(s sim.Schedule) bool {
		total := 0
		for _, g := range s.Segments {
			if g.Path == "0.1" {
				total += g.N
			}
		}
		return total >= n
	}
}

func ExampleSchedule() {
	s, _ := sim.ParseSchedule("0*1,0.1*2,0.2*7,0.1*3,0.3*1,0.1*1")
	least, tries := shrink.Schedule(s, 100, reaches(5))
	fmt.Println(least, tries < 20)
	// Output: 0.1*6 true
}

func TestBudget(t *testing.T) {
	for _, tries := range []int{0, 1, 5, 50} {
		calls, s := 0, long(300)
		least, used := shrink.Schedule(s, tries, func(c sim.Schedule) bool { calls++; return reaches(100)(c) })
		require.Equal(t, used, calls)
		require.LessOrEqual(t, used, tries)
		require.True(t, reaches(100)(least))
	}
	same, _ := shrink.Schedule(long(10), 500, func(sim.Schedule) bool { return false })
	total := func(s sim.Schedule) (n int) {
		for _, g := range s.Segments {
			n += g.N
		}
		return n
	}
	require.Equal(t, total(long(10)), total(same), "what cannot be shrunk is left")
}

// Any predicate is kept, whatever is cut; the input is not changed.
func TestShrinksWhatItIsGiven(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 3))
		s := long(1 + r.IntN(60))
		before := slices.Clone(s.Segments)
		want := reaches(r.IntN(20))
		if !want(s) {
			continue
		}
		least, _ := shrink.Schedule(s, 100, want)
		require.True(t, want(least), seed)
		require.Equal(t, before, s.Segments)
	}
}
