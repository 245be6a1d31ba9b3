package consensus_test

import (
	"fmt"
	"math/big"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

// The thresholds are what their definitions say, in exact arithmetic.
func TestThresholds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Uint64Range(1, uint64(consensus.WeightMax)).Draw(t, "total")
		least := func(q weight, num, den uint64, strict bool) bool { // q is the least weight over (or at) num/den of total
			over := func(w uint64) bool {
				c := new(big.Int).Mul(big.NewInt(int64(w)), big.NewInt(int64(den))).Cmp(new(big.Int).Mul(big.NewInt(int64(total)), big.NewInt(int64(num))))
				return c > 0 || c == 0 && !strict
			}
			return over(uint64(q)) && (q == 0 || !over(uint64(q)-1))
		}
		require.True(t, least(consensus.Majority(weight(total)), 1, 2, true))
		require.True(t, least(consensus.TwoThirds(weight(total)), 2, 3, true))
		require.True(t, least(consensus.OneThird(weight(total)), 1, 3, false))
	})
}

// Why the thresholds are these: quorums meet, in a correct member, whoever the faulty ones are.
func TestQuorumsMeet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t, 7)
		pick := func(label string) []bool { return rapid.SliceOfN(rapid.Bool(), s.Len(), s.Len()).Draw(t, label) }
		sum := func(in func(i int) bool) (w weight) {
			for i := range s.Len() {
				if in(i) {
					w += s.At(i).Weight
				}
			}
			return w
		}
		a, b, faulty := pick("a"), pick("b"), pick("faulty")
		wa, wb := sum(func(i int) bool { return a[i] }), sum(func(i int) bool { return b[i] })
		both := sum(func(i int) bool { return a[i] && b[i] })
		if m := consensus.Majority(s.Total()); wa >= m && wb >= m {
			require.Positive(t, both)
		}
		if f := sum(func(i int) bool { return faulty[i] }); f < consensus.OneThird(s.Total()) {
			correct := func(x []bool) weight { return sum(func(i int) bool { return x[i] && !faulty[i] }) }
			if q := consensus.TwoThirds(s.Total()); wa >= q && wb >= q {
				require.Positive(t, sum(func(i int) bool { return a[i] && b[i] && !faulty[i] }))
			}
			if wa >= consensus.OneThird(s.Total()) {
				require.Positive(t, correct(a))
			}
			require.GreaterOrEqual(t, s.Total()-f, consensus.TwoThirds(s.Total()), "the correct ones alone are a quorum")
		}
	})
}

// Agreed is the largest n that a quorum of each set has reached: compared with trying every n.
func TestAgreedByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		j := consensus.Joint{New: drawSet(t, 5)}
		if rapid.Bool().Draw(t, "joint") {
			j.Old = drawSet(t, 9)
		}
		at := rapid.SliceOfN(rapid.Uint64Range(0, 6), 10, 10).Draw(t, "at")
		where := func(id consensus.ID) uint64 { n, _ := strconv.Atoi(string(id[1:])); return at[n] }
		want := uint64(0)
		for n := range uint64(8) {
			if j.Met(func(id consensus.ID) bool { return where(id) >= n }) {
				want = n
			}
		}
		require.Equal(t, want, j.Agreed(where))
	})
}

func ExampleJoint() {
	set := func(ids ...consensus.ID) *consensus.Set {
		var ms []consensus.Member
		for _, id := range ids {
			ms = append(ms, consensus.Member{ID: id, Weight: 1})
		}
		s, _ := consensus.NewSet(ms...)
		return s
	}
	j := consensus.Joint{New: set("c", "d", "e"), Old: set("a", "b", "c")}
	stored := map[consensus.ID]uint64{"a": 9, "b": 7, "c": 8, "d": 3, "e": 5}
	fmt.Println("committed up to", j.Agreed(func(id consensus.ID) uint64 { return stored[id] }))
	votes := map[consensus.ID]bool{"a": true, "b": true, "c": true}
	fmt.Println("elected:", j.Met(func(id consensus.ID) bool { return votes[id] }))
	// Output:
	// committed up to 5
	// elected: false
}
