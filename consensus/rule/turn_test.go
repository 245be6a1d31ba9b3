package rule_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

// cells is a table of its own for each test: many counters, and rules over them.
type cells struct{ v []*rule.Var[int] }

func newCells(n int) func(*rule.Space) *cells {
	return func(s *rule.Space) *cells {
		c := &cells{}
		for i := range n {
			c.v = append(c.v, rule.Volatile(s, fmt.Sprint("v", i), 0))
		}
		return c
	}
}

func open[P any](t require.TestingT, table rule.Table[P], w rule.Wiring) *rule.Module[P] {
	m, err := rule.Open(context.Background(), table, w)
	require.NoError(t, err)
	return m
}

// settle posts and turns until the messages are handled.
func settle[P any](t require.TestingT, m *rule.Module[P], bodies ...any) {
	ctx := context.Background()
	require.NoError(t, m.Post(ctx, 7, bodies...))
	for !rule.Idle(m) {
		require.NoError(t, m.Turn(ctx))
	}
}

type set struct{ I, X int }

// chase makes rules "v[a] < v[b]: v[a]++", with more cells than there are bits in a mask.
func chase(edges [][2]int, reads func(tx *rule.Tx, c *cells, i int) int) rule.Table[*cells] {
	rs := []rule.Rule[*cells]{rule.On("set", func(*rule.Tx, *cells, set) bool { return true },
		func(tx *rule.Tx, c *cells, m set) { c.v[m.I].Set(tx, max(m.X, c.v[m.I].Get(tx))) })}
	for _, e := range edges {
		rs = append(rs, rule.Upon(fmt.Sprint(e), func(tx *rule.Tx, c *cells) bool {
			return tx.Given("behind", c.v[e[0]].Get(tx) < reads(tx, c, e[1]))
		}, func(tx *rule.Tx, c *cells) { c.v[e[0]].Set(tx, c.v[e[0]].Get(tx)+1) }))
	}
	return rule.Table[*cells]{Name: "chase", New: newCells(70), Rules: rs}
}

// A turn ends only when no guard holds, although guards are evaluated only if something they have read was written.
func TestTurnComesToRest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.IntRange(0, 69)
		var edges [][2]int
		for range rapid.IntRange(1, 12).Draw(t, "rules") {
			edges = append(edges, [2]int{cell.Draw(t, "behind"), cell.Draw(t, "ahead")})
		}
		table := chase(edges, func(tx *rule.Tx, c *cells, i int) int { return c.v[i].Get(tx) })
		m := open(t, table, rule.Wiring{})
		model := [70]int{}
		for range rapid.IntRange(1, 4).Draw(t, "turns") {
			s := set{cell.Draw(t, "cell"), rapid.IntRange(0, 5).Draw(t, "x")}
			settle(t, m, s)
			model[s.I] = max(model[s.I], s.X)
			for again := true; again; {
				again = false
				for _, e := range edges {
					for model[e[0]] < model[e[1]] {
						model[e[0]]++
						again = true
					}
				}
			}
			require.True(t, rule.Resting(m))
			for i, v := range m.State.v {
				require.Equal(t, model[i], v.Get(&rule.Tx{}), "v%d", i)
			}
		}
	})
}

// A guard is evaluated again only if something it has read was written. A domain too.
func TestGuardsAreEvaluatedByNeed(t *testing.T) {
	evals := map[string]int{}
	see := func(what string) { evals[what]++ }
	watch := func(name string, i int) rule.Rule[*cells] {
		return rule.Upon(name, func(tx *rule.Tx, c *cells) bool {
			see(name)
			return tx.Given("negative", c.v[i].Get(tx) < 0)
		}, func(tx *rule.Tx, c *cells) { c.v[i].Set(tx, 0) })
	}
	table := chase(nil, nil)
	table.Rules = append(table.Rules, watch("zero", 0), watch("one", 1), watch("far", 69), rule.For("each", func(tx *rule.Tx, c *cells) []int {
		see("domain")
		return make([]int, c.v[2].Get(tx))
	}, func(tx *rule.Tx, c *cells, _ int) bool {
		see("each")
		return tx.Given("negative", c.v[3].Get(tx) < 0)
	}, func(*rule.Tx, *cells, int) {}))
	m := open(t, table, rule.Wiring{})
	for _, c := range []struct {
		set  set
		want map[string]int
	}{
		{set{0, 1}, map[string]int{"zero": 1, "one": 1, "far": 1, "domain": 1}}, // the first time, all
		{set{0, 2}, map[string]int{"zero": 1}},
		{set{1, 2}, map[string]int{"one": 1}},
		{set{2, 3}, map[string]int{"domain": 1, "each": 3}},
		{set{3, 3}, map[string]int{"each": 3}},
		{set{68, 3}, map[string]int{"far": 1}}, // shares its bit
		{set{40, 3}, map[string]int{}},
	} {
		clear(evals)
		settle(t, m, c.set)
		require.Equal(t, c.want, evals, "%v", c.set)
	}
}

// The planted bug: a guard that reads past its Tx is not evaluated again. The property must notice.
func TestUnseenReadIsNoticed(t *testing.T) {
	table := chase([][2]int{{0, 1}}, func(_ *rule.Tx, c *cells, i int) int { return c.v[i].Get(&rule.Tx{}) })
	m := open(t, table, rule.Wiring{})
	settle(t, m, set{0, 0}) // the guard is false now
	settle(t, m, set{1, 3})
	require.Zero(t, m.State.v[0].Get(&rule.Tx{}))
	require.False(t, rule.Resting(m))
}

func TestSpinningRuleIsNamed(t *testing.T) {
	m := open(t, rule.Table[*cells]{Name: "spinner", New: newCells(2), Rules: []rule.Rule[*cells]{
		rule.Upon("fine", func(tx *rule.Tx, c *cells) bool { return tx.Given("once", c.v[0].Get(tx) == 0) }, func(tx *rule.Tx, c *cells) { c.v[0].Set(tx, 1) }),
		rule.Upon("for ever", func(*rule.Tx, *cells) bool { return true }, func(tx *rule.Tx, c *cells) { c.v[1].Set(tx, 1) }),
	}}, rule.Wiring{FiringsMax: 100})
	err := m.Turn(t.Context())
	require.ErrorIs(t, err, rule.ErrBroken)
	require.ErrorContains(t, err, `most of them of "for ever"`)
}

// Messages go to the first rule that takes them, in the order in which they came, DrainMax a turn.
func TestMessages(t *testing.T) {
	var got []string
	note := func(what string) func(tx *rule.Tx, c *cells, m any) {
		return func(tx *rule.Tx, _ *cells, m any) { got = append(got, fmt.Sprint(what, m, " from ", tx.From())) }
	}
	m := open(t, rule.Table[*cells]{Name: "post", New: newCells(1), Rules: []rule.Rule[*cells]{
		rule.On("any", func(*rule.Tx, *cells, any) bool { return true }, note("kept ")).Keep(),
		rule.On("small", func(tx *rule.Tx, _ *cells, m int) bool { return tx.Given("small", m < 10) }, func(tx *rule.Tx, c *cells, m int) { note("small ")(tx, c, m) }),
		rule.On("number", func(*rule.Tx, *cells, int) bool { return true }, func(tx *rule.Tx, c *cells, m int) { note("number ")(tx, c, m) }),
	}}, rule.Wiring{DrainMax: 3})
	settle(t, m, 1, 20)
	require.Equal(t, []string{"kept 1 from p7", "small 1 from p7", "kept 20 from p7", "number 20 from p7"}, got)

	got = nil
	settle(t, m, "a", "b", "c", "d", nil)
	require.Equal(t, []string{"kept a from p7", "kept b from p7", "kept c from p7", "kept d from p7"}, got, "in two turns")
}

// twin is a table whose action lets another transaction change what it has read, so that its turn is run again.
type twin struct {
	n     *rule.Var[int]
	log   *rule.Log[int]
	facts *rule.Pool[int, int]
}

func TestRerunDoublesNothing(t *testing.T) {
	foreign, other := stm.NewVar(0), stm.NewVar(0)
	meddle := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range meddle {
			_ = stm.Do(context.Background(), func(tx *stm.Tx) error { foreign.Set(tx, 1); other.Set(tx, 1); return nil })
			meddle <- struct{}{}
		}
	}()
	var plain []int // the planted bug: output beside the Vars, as a module of one's own might keep it
	runs := 0
	var out []rule.Message
	var events trace.Recorder[rule.Fired]
	m := open(t, rule.Table[*twin]{Name: "twin", New: func(s *rule.Space) *twin {
		return &twin{rule.Durable(s, "n", 0), rule.NewLog[int](s, "log"), rule.NewPool[int, int](s, "facts", rule.Limits[int]{Authors: 8})}
	}, Rules: []rule.Rule[*twin]{
		rule.Upon("step", func(tx *rule.Tx, w *twin) bool { return tx.Given("once", w.n.Get(tx) == 0) }, func(tx *rule.Tx, w *twin) {
			x := foreign.Get(tx.Outer())
			w.n.Set(tx, w.n.Get(tx)+1)
			w.log.Append(tx, x)
			w.facts.Say(tx, 1, 5)
			tx.Send(1, "out")
			tx.Early(1, "early")
			plain = append(plain, x)
			if runs++; runs == 1 {
				meddle <- struct{}{}
				<-meddle
			}
			other.Get(tx.Outer()) // of another moment than foreign: this run cannot go on
		}),
	}}, rule.Wiring{
		Out:   func(_ context.Context, ms []rule.Message) error { out = append(out, ms...); return nil },
		Trace: events.Tracer(),
	})
	require.NoError(t, m.Turn(t.Context()))
	close(meddle)
	<-done
	require.Equal(t, 2, runs, "the turn was not run again: the test tests nothing")
	require.Len(t, plain, 2)
	tx := &rule.Tx{}
	require.Equal(t, 1, m.State.n.Get(tx))
	require.Equal(t, []int{1}, m.State.log.From(tx, 1, 10), "the second run's value")
	require.Equal(t, uint64(1), m.State.facts.Weight(tx, 1, 5))
	require.Len(t, out, 3, "early, fact, out")
	require.Len(t, events.Events(), 1)
	require.Equal(t, "step", events.Events()[0].Rule)
}

// A guard may read other modules; it is looked at again when they change.
func TestForeignVarWakes(t *testing.T) {
	foreign := stm.NewVar(0)
	m := open(t, rule.Table[*cells]{Name: "foreign", New: newCells(1), Rules: []rule.Rule[*cells]{
		rule.Upon("copy", func(tx *rule.Tx, c *cells) bool { return tx.Given("newer", foreign.Get(tx.Outer()) > c.v[0].Get(tx)) },
			func(tx *rule.Tx, c *cells) { c.v[0].Set(tx, foreign.Get(tx.Outer())) }),
	}}, rule.Wiring{})
	settle(t, m, "nobody takes this") // the guard is false now
	require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error { foreign.Set(tx, 4); return nil }))
	require.NoError(t, m.Turn(t.Context()))
	require.Equal(t, 4, m.State.v[0].Get(&rule.Tx{}))

	done := make(chan error, 1)
	go func() { done <- m.Turn(context.Background()) }()
	require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error { foreign.Set(tx, 5); return nil }))
	require.NoError(t, <-done, "also if it has begun to wait")
	require.Equal(t, 5, m.State.v[0].Get(&rule.Tx{}))
}

func is(n int) func(*rule.Tx, *twin) bool {
	return func(tx *rule.Tx, w *twin) bool { return tx.Given("n", w.n.Get(tx) == n) }
}

// A turn that is run again begins where the first began: with the state of before, and no belief about guards.
func TestRerunBeginsAnew(t *testing.T) {
	foreign, other := stm.NewVar(0), stm.NewVar(0)
	meddle, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		<-meddle
		_ = stm.Do(context.Background(), func(tx *stm.Tx) error { foreign.Set(tx, 1); other.Set(tx, 1); return nil })
		meddle <- struct{}{}
	}()
	runs := 0
	m := open(t, rule.Table[*twin]{Name: "anew", New: func(s *rule.Space) *twin {
		return &twin{rule.Durable(s, "n", 0), rule.NewLog[int](s, "log"), rule.NewPool[int, int](s, "facts", rule.Limits[int]{Authors: 8})}
	}, Rules: []rule.Rule[*twin]{
		rule.Upon("first", is(0), func(tx *rule.Tx, w *twin) {
			w.n.Set(tx, 7)
			w.n.Set(tx, 2) // twice: the state of before is not the last but one
			w.log.Append(tx, 1, 2, 3)
			w.facts.Say(tx, 1, 5)
		}),
		rule.Upon("third", is(3), func(tx *rule.Tx, w *twin) {
			foreign.Get(tx.Outer())
			w.n.Set(tx, 4)
			if runs++; runs == 1 {
				w.log.Truncate(tx, 1)
				meddle <- struct{}{}
				<-meddle
			}
			other.Get(tx.Outer())
		}),
		rule.Upon("second", is(2), func(tx *rule.Tx, w *twin) { w.n.Set(tx, 3) }),
	}}, rule.Wiring{})
	settle(t, m, rule.Fact[int, int]{Author: 1, Slot: 1, Value: 5})
	<-done
	tx := &rule.Tx{}
	require.Equal(t, 2, runs, "the turn was not run again: the test tests nothing")
	require.Equal(t, 4, m.State.n.Get(tx))
	require.Equal(t, uint64(2), m.State.facts.Weight(tx, 1, 5))
	require.Equal(t, uint64(3), m.State.log.Last(tx))
	require.Equal(t, uint64(3), m.State.log.Synced(tx))
}

// A busy module ends with its context too.
func TestBusyModuleEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var m *rule.Module[*cells]
	m = open(t, rule.Table[*cells]{Name: "busy", New: newCells(1), Rules: []rule.Rule[*cells]{
		rule.On("again", func(*rule.Tx, *cells, int) bool { return true }, func(tx *rule.Tx, _ *cells, i int) { tx.Send(0, i+1) }),
	}}, rule.Wiring{Out: func(ctx context.Context, ms []rule.Message) error {
		if n++; n == 100 {
			cancel()
		}
		require.Less(t, n, 1000)
		return stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { m.Offer(tx, 0, ms[0].Body); return nil })
	}})
	require.NoError(t, m.Post(ctx, 0, 1))
	require.ErrorIs(t, m.Run(ctx), context.Canceled)
}
