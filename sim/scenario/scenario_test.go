package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/sim/scenario"
	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// answered waits until i requests are acknowledged, and asks again every 50 ms: a crash loses what was asked.
func (c *counter) answered(ctx context.Context, i int) error {
	for {
		again := env.Now(ctx).Add(50 * time.Millisecond)
		done, err := stm.Query(ctx, func(tx *stm.Tx) bool {
			done := c.acked.Get(tx) >= i
			tx.Check(done || env.Reached(tx, again))
			return done
		})
		if done || err != nil {
			return err
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error { c.wanted.Set(tx, 1); return nil }); err != nil {
			return err
		}
	}
}

func nothing(*scenario.Scenario, []*counter) {}

func TestCounterPasses(t *testing.T) {
	simtest.Check(t, crashes(nothing), simtest.Runs(60))
	fired := 0
	for seed := range uint64(30) {
		a, b := sim.Run(seed, crashes(nothing)), sim.Run(seed, crashes(nothing), sim.Races())
		require.NoError(t, a.Err)
		require.Equal(t, a, b)
		fired += a.Faults["crash"]
	}
	require.Greater(t, fired, 20)
}

// probe keeps a test from failing for its fatal errors.
type probe struct {
	testing.TB
	said string
}

func (p *probe) Helper()      {}
func (p *probe) Name() string { return "TestX" }
func (p *probe) Fatalf(format string, args ...any) {
	p.said = fmt.Sprintf(format, args...)
	panic(p)
}
func (p *probe) Fatal(args ...any) { p.Fatalf("%s", fmt.Sprint(args...)) }

// said is what simtest.Check says of a scenario.
func said(t *testing.T, s func(ctx context.Context) error) (text string) {
	p := &probe{TB: t}
	defer func() {
		if r := recover(); r != nil && r != any(p) {
			panic(r)
		}
		text = p.said
		t.Log(text)
	}()
	simtest.Check(p, s, simtest.Runs(100))
	return ""
}

// What is planted is found, shrunk and reported with what it is.
func TestPlantedBugsAreFound(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(s *scenario.Scenario, cs []*counter)
		want  []string
	}{
		"acknowledged when written": {func(_ *scenario.Scenario, cs []*counter) { cs[1].acks = store.Written },
			[]string{"node b: lost", "SIM_REPLAY", "faults: crash "}},
		"does not come back": {func(s *scenario.Scenario, cs []*counter) { cs[0].tired = true; s.Clients = s.Clients[1:] },
			[]string{"no progress on a healed core", "waiting:", "a requests", "SIM_REPLAY"}},
		"stands still in the safety phase": {func(s *scenario.Scenario, cs []*counter) { cs[1].tired = true; s.Limit = time.Second },
			[]string{"not over within its limit", "b waits for b requests"}},
		"a property": {func(s *scenario.Scenario, cs []*counter) {
			s.Properties = append(s.Properties, property.Never("three lives", func(tx *stm.Tx) bool { return cs[0].serving.Get(tx) > 2 }))
		}, []string{"property: never three lives", "SIM_REPLAY"}},
		"a client's error": {func(s *scenario.Scenario, cs []*counter) {
			s.Clients[0].Run = func(context.Context) error { return errLost }
		}, []string{"client a: lost"}},
		"a fault's error": {func(s *scenario.Scenario, cs []*counter) {
			s.Faults = append(s.Faults, scenario.Do(scenario.Fault{Name: "bad", Every: time.Millisecond}, func(context.Context) error { return errLost }, nil))
		}, []string{"fault bad: lost"}},
		"a fault that never comes": {func(s *scenario.Scenario, cs []*counter) {
			s.Faults = append(s.Faults, scenario.Do(scenario.Fault{Name: "late", Every: 1000 * time.Hour}, func(context.Context) error { return nil }, nil))
		}, []string{"the fault late never came about in any run"}},
		"a state that never is": {func(s *scenario.Scenario, cs []*counter) {
			s.Properties = append(s.Properties, property.Sometimes("99", func(tx *stm.Tx) bool { return cs[0].acked.Get(tx) == 99 }))
		}, []string{"the state 99 never came about in any run"}},
		"a fault that does nothing": {func(s *scenario.Scenario, cs []*counter) { s.Faults = []scenario.Fault{{Name: "nil"}} }, []string{"does nothing"}},
		"a core of nobody":          {func(s *scenario.Scenario, cs []*counter) { s.Liveness.Core = []string{"x"} }, []string{`no node called "x"`}},
		"two of one name":           {func(s *scenario.Scenario, cs []*counter) { s.Nodes = append(s.Nodes, s.Nodes[0]) }, []string{"two nodes"}},
	} {
		t.Run(name, func(t *testing.T) {
			text := said(t, crashes(c.plant))
			for _, part := range c.want {
				require.Contains(t, text, part)
			}
		})
	}
}

// Until ends the safety phase, and faults are undone, clients gone and nodes down when it is over.
func TestEnds(t *testing.T) {
	for seed := range uint64(20) {
		undone, working := 0, 0
		r := sim.Run(seed, crashes(func(s *scenario.Scenario, cs []*counter) {
			s.Until = func(tx *stm.Tx) bool { return cs[0].acked.Get(tx) >= 2 }
			s.Liveness = nil
			s.Clients = append(s.Clients, scenario.Client{Name: "for ever", Run: func(ctx context.Context) error {
				err := env.Sleep(ctx, 1000*time.Hour)
				if !errors.Is(err, context.Canceled) {
					return errLost
				}
				return err
			}})
			s.Faults = append(s.Faults, scenario.Do(scenario.Fault{Name: "break", Every: time.Millisecond, For: time.Hour, Max: 2},
				func(context.Context) error { working++; return nil }, func(context.Context) error { undone++; return nil }))
		}))
		require.NoError(t, r.Err)
		require.Less(t, r.Elapsed, time.Minute)
		require.Equal(t, 1, working)
		require.Equal(t, 1, undone)
	}
}
