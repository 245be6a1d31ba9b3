package consensus_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

type weight = consensus.Weight

// weighted is a set whose members are called 0, 1, ... and weigh that.
func weighted(t require.TestingT, weights ...weight) *consensus.Set {
	var ms []consensus.Member
	for i, w := range weights {
		ms = append(ms, consensus.Member{ID: name(i), Weight: w})
	}
	s, err := consensus.NewSet(ms...)
	require.NoError(t, err)
	return s
}

func name(i int) consensus.ID { return consensus.ID(fmt.Sprintf("m%04d", i)) }

// drawSet is a set of at most most members, often of equal weight, sometimes of very unequal ones.
func drawSet(t *rapid.T, most int) *consensus.Set {
	heavy := rapid.SampledFrom([]weight{1, 5, 1000, consensus.WeightMax / weight(most)}).Draw(t, "heaviest")
	ws := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) weight { return weight(rapid.Uint64Range(1, uint64(heavy)).Draw(t, "weight")) }), 1, most)
	return weighted(t, ws.Draw(t, "weights")...)
}

func TestSetIsOrdered(t *testing.T) {
	a, err := consensus.NewSet(consensus.Member{ID: "b", Weight: 2}, consensus.Member{ID: "a", Weight: 1})
	require.NoError(t, err)
	b, err := consensus.NewSet(consensus.Member{ID: "a", Weight: 1}, consensus.Member{ID: "b", Weight: 2})
	require.NoError(t, err)
	require.True(t, a.Equal(b))
	for i := range a.Len() {
		at, ok := a.Index(a.At(i).ID)
		require.True(t, ok)
		require.Equal(t, i, at)
	}
	_, ok := a.Index("c")
	require.False(t, ok)
	require.Equal(t, weight(3), a.Total())
	a.Members()[0].Weight = 9
	require.Equal(t, weight(1), a.At(0).Weight, "Members gives a copy")
}

func TestNoSet(t *testing.T) {
	many := make([]consensus.Member, consensus.MembersMax+1)
	for i := range many {
		many[i] = consensus.Member{ID: name(i), Weight: 1}
	}
	for what, ms := range map[string][]consensus.Member{
		"nobody":          nil,
		"too many":        many,
		"twice":           {{ID: "a", Weight: 1}, {ID: "b", Weight: 1}, {ID: "a", Weight: 2}},
		"no weight":       {{ID: "a"}},
		"too heavy":       {{ID: "a", Weight: consensus.WeightMax + 1}},
		"sum overflows":   {{ID: "a", Weight: math.MaxUint64}, {ID: "b", Weight: 2}},
		"sum is too much": {{ID: "a", Weight: consensus.WeightMax}, {ID: "b", Weight: 1}},
	} {
		_, err := consensus.NewSet(ms...)
		require.ErrorIs(t, err, consensus.ErrSet, what)
	}
	_, err := consensus.NewSet(many[1:]...)
	require.NoError(t, err)
}

func TestIDString(t *testing.T) {
	require.Equal(t, "alice", consensus.ID("alice").String())
	require.Equal(t, "00ff0102", consensus.ID("\x00\xff\x01\x02\x03").String())
	require.Equal(t, "ff", consensus.ID("\xff").String())
}

func ExampleSet() {
	s, err := consensus.NewSet(
		consensus.Member{ID: "alice", Weight: 5}, consensus.Member{ID: "bob", Weight: 1}, consensus.Member{ID: "carol", Weight: 1})
	fmt.Println(s.Len(), s.Total(), err)
	fmt.Println("2f+1:", consensus.TwoThirds(s.Total()), "f+1:", consensus.OneThird(s.Total()), "majority:", consensus.Majority(s.Total()))
	// Output:
	// 3 7 <nil>
	// 2f+1: 5 f+1: 3 majority: 4
}
