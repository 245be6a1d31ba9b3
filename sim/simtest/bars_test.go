package simtest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/shrink"
	"github.com/synodkit/synod/sim/walk"
)

// find gives the first of so many runs of the portfolio that fails.
func find(scenario func(ctx context.Context) error, runs int) (r *sim.Report, run int) {
	walks := walk.Portfolio()
	for i := range runs {
		w := walks[i%len(walks)]
		w.Begin(uint64(i))
		if r := sim.Run(uint64(i), scenario, sim.With(w)); r.Err != nil {
			return r, i + 1
		}
	}
	return nil, 0
}

var bugs = map[string]func(ctx context.Context) error{
	"lost update":                         lostUpdate(3, 0),
	"lock order of 5":                     lockOrder(5),
	"missed wake-up after 40 noise steps": missedWakeUp(40),
	"torn read of depth 3":                tornRead(40),
}

// The portfolio finds each planted bug within a thousand runs.
func TestPortfolioFindsBugs(t *testing.T) {
	for name, scenario := range bugs {
		r, run := find(scenario, 1000)
		require.NotNil(t, r, name)
		t.Logf("%s: run %d, %d steps: %.60v", name, run, r.Steps, r.Err)
	}
}

// A failure of 500 steps comes down to 5 segments within 200 replays.
func TestShrinking(t *testing.T) {
	for name, scenario := range map[string]func(ctx context.Context) error{
		"lost update": lostUpdate(5, 100), "torn read": tornRead(250), "missed wake-up": missedWakeUp(500),
	} {
		r, _ := find(scenario, 3000)
		require.NotNil(t, r, name)
		fails := func(s sim.Schedule) bool { return sim.Run(r.Seed, scenario, sim.With(sim.Replay(s))).Err != nil }
		require.True(t, fails(r.Schedule))
		least, tries := shrink.Schedule(r.Schedule, 200, fails)
		t.Logf("%s: %d steps, %d segments, to %d in %d replays: %v", name, r.Steps, len(r.Schedule.Segments), len(least.Segments), tries, least)
		require.True(t, fails(least))
		require.LessOrEqual(t, len(least.Segments), 5, name)
		require.LessOrEqual(t, tries, 200)
		parsed, err := sim.ParseSchedule(least.String())
		require.NoError(t, err)
		require.Equal(t, least, parsed)
	}
}
