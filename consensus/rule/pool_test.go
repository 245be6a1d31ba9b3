package rule_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/store"
)

type fact = rule.Fact[place, string]

// pooling is journal with a pool of four authors of weights 1 to 4, of whom the process is the first.
func pooling(limits func(*rule.Limits[place])) rule.Table[*journal] {
	t := journaling()
	t.New = func(s *rule.Space) *journal {
		l := rule.Limits[place]{
			Authors: 4,
			Weight:  func(a rule.Peer, _ place) uint64 { return uint64(a) + 1 },
			Below:   func(a, b place) bool { return a.H < b.H },
		}
		limits(&l)
		return &journal{facts: rule.NewPool[place, string](s, "facts", l)}
	}
	return t
}

// A pool is the set of facts it was told, whatever the order and the repetitions.
func TestPoolAgainstModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var evidence []rule.Peer
		m := open(t, pooling(func(*rule.Limits[place]) {}), rule.Wiring{Out: func(_ context.Context, ms []rule.Message) error {
			for _, x := range ms {
				if two, ok := x.Body.([2]fact); ok {
					require.Equal(t, rule.Host, x.To)
					require.Equal(t, two[0].Author, two[1].Author)
					require.Equal(t, two[0].Slot, two[1].Slot)
					require.NotEqual(t, two[0].Value, two[1].Value)
					evidence = append(evidence, two[0].Author)
				}
			}
			return nil
		}})
		type key struct {
			a rule.Peer
			s place
		}
		model := map[key][]string{}
		twice := map[rule.Peer]bool{}
		floor := uint64(0)
		for range rapid.IntRange(0, 25).Draw(t, "facts") {
			f := fact{rule.Peer(rapid.IntRange(1, 5).Draw(t, "author")), place{rapid.Uint64Range(0, 2).Draw(t, "h"), rapid.Uint64Range(0, 1).Draw(t, "r")},
				rapid.SampledFrom([]string{"x", "y", "z"}).Draw(t, "value"), nil}
			if rapid.IntRange(0, 9).Draw(t, "floor") == 0 {
				floor = max(floor, f.Slot.H)
				settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.facts.Floor(tx, place{H: f.Slot.H}) }))
				for k := range model {
					if k.s.H < floor {
						delete(model, k)
					}
				}
			}
			settle(t, m, f)
			k := key{f.Author, f.Slot}
			said := model[k]
			switch {
			case f.Author > 3 || f.Slot.H < floor || len(said) == 2 || len(said) == 1 && said[0] == f.Value:
			default:
				model[k] = append(said, f.Value)
				if len(said) == 1 {
					twice[f.Author] = true
				}
			}
		}
		tx := &rule.Tx{}
		for h := range uint64(3) {
			s := place{h, 0}
			anyone := uint64(0)
			for a := range rule.Peer(4) {
				if len(model[key{a, s}])+len(model[key{a, place{h, 1}}]) > 0 {
					anyone += uint64(a) + 1
				}
			}
			require.Equal(t, anyone, m.State.facts.WeightAny(tx, s, place{h, 1}))
			for _, v := range []string{"x", "y", "z"} {
				weight, count := uint64(0), 0
				for a := range rule.Peer(4) {
					has := false
					for _, x := range model[key{a, s}] {
						has = has || x == v
					}
					require.Equal(t, has, m.State.facts.Has(tx, a, s, v))
					if has {
						weight, count = weight+uint64(a)+1, count+1
					}
				}
				require.Equal(t, weight, m.State.facts.Weight(tx, s, v))
				require.Len(t, m.State.facts.Facts(tx, s, v), count)
			}
		}
		require.Len(t, evidence, len(twice), "once for each author")
		for _, a := range evidence {
			require.True(t, twice[a])
		}
	})
}

// Somebody who floods gets no more than his slots; a slot too far ahead is refused; others are not hurt.
func TestPoolIsBounded(t *testing.T) {
	m := open(t, pooling(func(l *rule.Limits[place]) {
		l.SlotsMax = 3
		l.Admit = func(_ *rule.Tx, _ rule.Peer, s place) bool { return s.H < 1000 }
	}), rule.Wiring{})
	for h := range uint64(1500) {
		settle(t, m, fact{Author: 1, Slot: place{h, 0}, Value: "flood"}, fact{Author: 2, Slot: place{1400 - h, 0}, Value: "late"})
	}
	tx := &rule.Tx{}
	kept := func(a rule.Peer, v string) (n int) {
		for h := range uint64(1500) {
			if m.State.facts.Has(tx, a, place{h, 0}, v) {
				n++
			}
		}
		return n
	}
	require.Equal(t, 3, kept(1, "flood"))
	require.Equal(t, 3, kept(2, "late"))
	require.True(t, m.State.facts.Has(tx, 2, place{999, 0}, "late"))

	// the floor makes room
	settle(t, m, doing(func(tx *rule.Tx, j *journal) { j.facts.Floor(tx, place{H: 500}) }))
	settle(t, m, fact{Author: 1, Slot: place{600, 0}, Value: "flood"})
	require.Equal(t, 1, kept(1, "flood"))
}

// A third thing of a two-faced author is let in only if others of some weight say it too.
func TestPoolThirdSaying(t *testing.T) {
	m := open(t, pooling(func(l *rule.Limits[place]) {
		l.Also = func(_ place, weight uint64) bool { return weight >= 3 }
	}), rule.Wiring{})
	s := place{1, 0}
	settle(t, m, fact{1, s, "x", nil}, fact{1, s, "y", nil}, fact{1, s, "z", nil}, fact{2, s, "w", nil}, fact{1, s, "w", nil})
	tx := &rule.Tx{}
	require.False(t, m.State.facts.Has(tx, 1, s, "z"))
	require.True(t, m.State.facts.Has(tx, 1, s, "w"))
	require.Equal(t, uint64(5), m.State.facts.Weight(tx, s, "w"))
	require.Equal(t, uint64(5), m.State.facts.WeightAny(tx, s))
	require.Equal(t, []string{"x", "y", "w"}, m.State.facts.Values(tx, s))
}

// To say two things in one slot is the end of the module; to say one twice is nothing.
func TestPoolOwnEquivocation(t *testing.T) {
	var out []rule.Message
	m := open(t, pooling(func(*rule.Limits[place]) {}), rule.Wiring{Out: func(_ context.Context, ms []rule.Message) error { out = append(out, ms...); return nil }})
	s := place{1, 0}
	say := func(v string) any { return doing(func(tx *rule.Tx, j *journal) { j.facts.Say(tx, s, v) }) }
	settle(t, m, say("x"), say("x"))
	require.Len(t, out, 1)
	settle(t, m, fact{0, s, "x", []byte("signature")}, fact{0, s, "y", []byte("somebody has our key")})
	require.Equal(t, []fact{{0, s, "x", []byte("signature")}}, m.State.facts.Facts(&rule.Tx{}, s, "x"), "the proof comes back from the host")
	require.NoError(t, m.Post(t.Context(), 7, say("y")))
	require.ErrorIs(t, m.Turn(t.Context()), rule.ErrBroken)
	v, _ := m.State.facts.Own(&rule.Tx{}, s)
	require.Equal(t, "x", v)
	require.Contains(t, out, rule.Message{From: 0, To: rule.Host, Body: [2]fact{{0, s, "x", []byte("signature")}, {0, s, "y", []byte("somebody has our key")}}})
}

// Who is no author listens; to say something is a mistake of the table.
func TestPoolOfAListener(t *testing.T) {
	m := open(t, pooling(func(*rule.Limits[place]) {}), rule.Wiring{Self: 9, Store: store.NewMemory()})
	s := place{1, 0}
	settle(t, m, fact{1, s, "x", nil}, fact{9, s, "x", nil}, doing(func(tx *rule.Tx, j *journal) { j.facts.Floor(tx, s) }))
	require.Equal(t, uint64(2), m.State.facts.Weight(&rule.Tx{}, s, "x"))
	_, ok := m.State.facts.Own(&rule.Tx{}, s)
	require.False(t, ok)
	require.NoError(t, m.Post(t.Context(), 7, doing(func(tx *rule.Tx, j *journal) { j.facts.Say(tx, s, "x") })))
	require.ErrorIs(t, m.Turn(t.Context()), rule.ErrBroken)
}
