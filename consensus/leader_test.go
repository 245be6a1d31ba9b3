package consensus_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

// In as many turns as the total weight, each member leads as often as it weighs, wherever one starts counting.
func TestRotationIsProportional(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ws := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) weight { return weight(rapid.Uint64Range(1, 9).Draw(t, "w")) }), 1, 6).Draw(t, "weights")
		s := weighted(t, ws...)
		r := s.Rotation().After(rapid.IntRange(0, 30).Draw(t, "skipped"))
		led := make([]weight, s.Len())
		for range int(s.Total()) {
			led[r.Leader()]++
			r = r.Next()
		}
		require.Equal(t, ws, led)
	})
}

// From the definition: the next leader is the one with the highest priority after all got their weights.
func TestRotationByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t, 7)
		r := s.Rotation()
		for range 20 {
			p, n := r.Priorities(), r.Next()
			best := 0
			for i := range p {
				if p[i] += int64(s.At(i).Weight); p[i] > p[best] {
					best = i
				}
			}
			require.Equal(t, best, n.Leader())
			p[best] -= int64(s.Total())
			require.Equal(t, p, n.Priorities())
			r = n
		}
	})
}

// Priorities stay bounded whatever sets follow each other, and a rotation goes on from its stored state.
func TestRotationChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawSet(t, 7).Rotation()
		for range 20 {
			s := drawSet(t, 7)
			r = r.Change(s).After(rapid.IntRange(0, 3).Draw(t, "turns"))
			var sum int64
			for _, p := range r.Priorities() {
				require.LessOrEqual(t, p, 3*int64(s.Total()))
				require.GreaterOrEqual(t, p, -3*int64(s.Total()))
				sum += p
			}
			if s.Total() < 1<<50 {
				require.LessOrEqual(t, max(sum, -sum), int64(s.Len()))
			}
			again, ok := s.Resume(r.Priorities(), r.Leader())
			require.True(t, ok)
			require.Equal(t, r.Next(), again.Next())
		}
	})
}

// Who leaves and comes back does not lead sooner for it.
func TestComingBackGainsNothing(t *testing.T) {
	full, without := weighted(t, 1, 1, 1, 1), weighted(t, 1, 1, 1)
	for start := range 4 {
		stay := full.Rotation().After(start)
		left := stay.Change(without).Change(full)
		stay = stay.After(2)
		wait := func(r consensus.Rotation) (n int) {
			for r.Leader() != 3 {
				r = r.Next()
				n++
			}
			return n
		}
		require.GreaterOrEqual(t, wait(left), wait(stay), "start %d", start)
	}
}

func TestResumeRefuses(t *testing.T) {
	s := weighted(t, 1, 2)
	for _, x := range []struct {
		p      []int64
		leader int
	}{{nil, 0}, {[]int64{0}, 0}, {[]int64{0, 0}, 2}, {[]int64{0, 0}, -1}, {[]int64{1 << 62, 0}, 0}, {[]int64{-1 << 63, 0}, 0}} {
		_, ok := s.Resume(x.p, x.leader)
		require.False(t, ok, x)
	}
}

func ExampleRotation() {
	s, _ := consensus.NewSet(consensus.Member{ID: "big", Weight: 3}, consensus.Member{ID: "one", Weight: 1}, consensus.Member{ID: "two", Weight: 2})
	r := s.Rotation()
	for range 6 {
		fmt.Print(s.At(r.Leader()).ID, " ")
		r = r.Next()
	}
	fmt.Println()
	// Output:
	// big two big one two big
}

func ExampleSet_RoundRobin() {
	s, _ := consensus.NewSet(consensus.Member{ID: "a", Weight: 9}, consensus.Member{ID: "b", Weight: 1})
	for view := range uint64(4) {
		fmt.Print(s.At(s.RoundRobin(view)).ID, " ")
	}
	fmt.Println()
	// Output:
	// a b a b
}
