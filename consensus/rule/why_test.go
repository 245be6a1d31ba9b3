package rule_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/trace"
)

// A running module says which conjunct blocks a rule, binding by binding.
func TestWhyOfAModule(t *testing.T) {
	m := open(t, replication(), rule.Wiring{Self: 0})
	require.NoError(t, registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		if err := s.Daemon(ctx, "module", func(ctx context.Context, ready func()) error { ready(); return m.Run(ctx) }); err != nil {
			return err
		}
		why, err := m.Why(ctx, "append")
		require.NoError(t, err)
		require.Equal(t, []string{"something to say", "something to say"}, why)
		require.NoError(t, m.Post(ctx, rule.Host, propose{}))
		why, err = m.Why(ctx, "commit")
		require.NoError(t, err)
		require.Equal(t, []string{"agreed"}, why)
		why, err = m.Why(ctx, "no such rule")
		require.NoError(t, err)
		require.Empty(t, why)
		return nil
	}))
}

// A machine says it of any state, and tells what each step is.
func TestWhyOfAMachine(t *testing.T) {
	m := voteWorld(newNode).Machine()
	require.Equal(t, []string{"a majority"}, m.Why(0, "win"))
	require.Equal(t, []string{""}, m.Why(0, "stand"))
	require.Empty(t, m.Why(9, "win"))

	follow := func(what string) {
		t.Helper()
		found, ok := uint32(0), false
		state := append([]uint64(nil), m.State()...)
		m.Load(state)
		m.Successors(func(l uint32) bool {
			m.Load(state)
			found, ok = l, m.Tell(l) == what
			return !ok
		})
		require.True(t, ok, what)
		m.Load(state)
		m.Do(found)
	}
	follow("p0 stand")
	follow("p1 give from p0: rule_test.ask{}")
	follow("p0 count from p1: rule_test.grant{}")
	require.Equal(t, []string{""}, m.Why(0, "win"))
	follow("p0 win")
	require.Equal(t, []string{"not leading"}, m.Why(0, "win"))
	require.Equal(t, []string{"p0: voted=p0 votes=3 leads=true", "p1: voted=p0 votes=0 leads=false", "p2: voted=all votes=0 leads=false"}, m.Describe())
	follow("p0 CRASH")
	require.Equal(t, "p0: voted=p0 votes=0 leads=false", m.Describe()[0])
}

// There is one event for each rule that has fired, after it has.
func TestTrace(t *testing.T) {
	var events trace.Recorder[rule.Fired]
	m := open(t, replication(), rule.Wiring{Self: 0, Trace: events.Tracer()})
	settle(t, m, propose{[]byte("x")})
	var got []string
	for _, e := range events.Events() {
		require.Equal(t, "replication", e.Table)
		require.Equal(t, uint64(1), e.Turn)
		got = append(got, e.Rule+" "+e.Binding)
	}
	require.Equal(t, []string{"propose ", "append p1", "append p2"}, got)
	require.Equal(t, propose{[]byte("x")}, events.Events()[0].Message)
}

func TestMisuse(t *testing.T) {
	for _, c := range []struct {
		says string
		do   func(s *rule.Space)
	}{
		{"two cells of one name", func(s *rule.Space) { rule.Volatile(s, "x", 0); rule.Volatile(s, "x", 0) }},
		{"one without", func(s *rule.Space) { s.Timer("") }},
		{"no canonical bytes", func(s *rule.Space) { rule.Durable(s, "x", map[int]int{}) }},
		{"a log of nothing", func(s *rule.Space) { rule.NewLog[struct{}](s, "x") }},
		{"Authors is missing", func(s *rule.Space) { rule.NewPool[int, int](s, "x", rule.Limits[int]{}) }},
		{"is no Output", func(s *rule.Space) { rule.Volatile(s, "x", 0).Seen(nil) }},
		{"Outer outside", func(*rule.Space) { new(rule.Tx).Outer() }},
		{"Floor without", func(s *rule.Space) {
			rule.NewPool[int, int](s, "x", rule.Limits[int]{Authors: 1}).Floor(new(rule.Tx), 1)
		}},
	} {
		func() {
			defer func() { require.Contains(t, recover(), c.says) }()
			_, _ = rule.Open(t.Context(), rule.Table[int]{Name: "misuse", New: func(s *rule.Space) int { c.do(s); return 0 }}, rule.Wiring{})
		}()
	}
	var kept *rule.Space
	open(t, rule.Table[int]{Name: "late", New: func(s *rule.Space) int { kept = s; return 0 }}, rule.Wiring{})
	require.PanicsWithValue(t, "rule: x is declared after New has returned", func() { rule.Volatile(kept, "x", 0) })
}
