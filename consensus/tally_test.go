package consensus_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

// A tally agrees with counting a map of first votes anew each time.
func TestTallyByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t, 9)
		tally, first := consensus.NewTally[string](s), map[int]string{}
		t.Repeat(map[string]func(*rapid.T){
			"vote": func(t *rapid.T) {
				i := rapid.IntRange(0, s.Len()-1).Draw(t, "member")
				v := rapid.SampledFrom([]string{"x", "y", "z", ""}).Draw(t, "value")
				was, voted := first[i]
				if !voted {
					first[i], was = v, v
				}
				got, added, conflict := tally.Add(i, v)
				require.Equal(t, was, got)
				require.Equal(t, !voted, added)
				require.Equal(t, was != v, conflict)
			},
			"": func(t *rapid.T) {
				sums, any := map[string]weight{}, weight(0)
				for i, v := range first {
					sums[v] += s.At(i).Weight
					any += s.At(i).Weight
				}
				require.Equal(t, any, tally.Any())
				won := ""
				for _, v := range []string{"x", "y", "z", ""} {
					require.Equal(t, sums[v], tally.For(v))
					require.Equal(t, 3*sums[v] > 2*s.Total(), tally.Has(v, consensus.TwoThirds))
					if 3*sums[v] > 2*s.Total() {
						won = v
					}
				}
				got, _ := tally.Winner(consensus.TwoThirds)
				require.Equal(t, won, got)
				require.Equal(t, 3*any > 2*s.Total(), tally.HasAny(consensus.TwoThirds))
				for i := range s.Len() {
					v, ok := tally.Vote(i)
					require.Equal(t, first[i], v)
					_, voted := first[i]
					require.Equal(t, voted, ok)
				}
			},
		})
	})
}

func ExampleTally() {
	s, _ := consensus.NewSet(
		consensus.Member{ID: "a", Weight: 1}, consensus.Member{ID: "b", Weight: 1},
		consensus.Member{ID: "c", Weight: 1}, consensus.Member{ID: "d", Weight: 1})
	votes := consensus.NewTally[string](s)
	votes.Add(0, "block")
	votes.Add(1, "block")
	votes.Add(2, "other")
	_, added, conflict := votes.Add(2, "block") // c votes twice: the first vote counts
	fmt.Println(added, conflict, votes.Has("block", consensus.TwoThirds))
	votes.Add(3, "block")
	fmt.Println(votes.Winner(consensus.TwoThirds))
	// Output:
	// false true false
	// block true
}
