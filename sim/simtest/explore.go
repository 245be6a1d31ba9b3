package simtest

import (
	"testing"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/explore"
)

// Explore runs scenario under every schedule up to equivalence, with every value of env.Choose, and fails t at the first
// run that fails, or if that is too much. See package sim/explore for what it can and cannot see.
func Explore(t testing.TB, scenario Scenario, opts ...Option) explore.Result {
	t.Helper()
	o := configure(100_000, opts)
	o.sim = append(o.sim, sim.Alone())
	if replayed(t, scenario, o) {
		return explore.Result{}
	}
	fired := map[string]int{}
	res, err := explore.All(scenario, explore.Config{RunsMax: o.runs, Options: o.sim, OnRun: func(r *sim.Report) error {
		o.count(r, fired)
		return r.Err
	}})
	switch {
	case err != nil:
		t.Fatalf("simtest: %v", err)
	case res.Failed != nil:
		r := *res.Failed
		r.Schedule = res.Schedule
		o.report(t, scenario, &r, "exploration", res.Runs)
	case !res.Complete:
		t.Fatalf("simtest: %d runs were not enough to explore all schedules: raise Runs, or make the scenario smaller", res.Runs)
	case res.Races == 0 && res.Runs == 1:
		t.Fatal("simtest: nothing was explored: no two steps of different tasks conflict, and nothing is chosen")
	}
	o.allFired(t, fired)
	return res
}
