package simtest

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/synodkit/synod/sim"
)

// Check runs scenario under many schedules and seeds and fails t at the first run that fails.
func Check(t testing.TB, scenario Scenario, opts ...Option) {
	t.Helper()
	o := configure(300, opts)
	if replayed(t, scenario, o) {
		return
	}
	fired, switches := map[string]int{}, 0 // by what was armed or sought
	for i := range o.runs {
		seed, w := o.seed+uint64(i), o.walks[i%len(o.walks)]
		w.Begin(seed)
		r := sim.Run(seed, scenario, o.with(sim.With(w))...)
		if r.Err != nil {
			o.report(t, scenario, r, w.String(), i+1)
			return
		}
		if i%againEvery == 0 {
			o.again(t, scenario, r, i == 0)
		}
		o.count(r, fired)
		switches += r.Switches - 1
	}
	if switches <= 0 {
		t.Fatal("simtest: nothing was checked: no run had two tasks")
	}
	o.allFired(t, fired)
}

func (o *options) with(opts ...sim.Option) []sim.Option { return append(opts, o.sim...) }

// allFired fails t if a fault was armed and never came about.
func (o *options) allFired(t testing.TB, fired map[string]int) {
	t.Helper()
	for _, site := range o.faults {
		if fired["fault "+site] == 0 {
			t.Fatalf("simtest: the fault at %s never came about: no run asked for it, or its probability is too small", site)
		}
	}
	for _, what := range slices.Sorted(maps.Keys(fired)) {
		if fired[what] == 0 {
			t.Fatalf("simtest: the %s never came about in any run", what)
		}
	}
}

// count adds what came about in r.
func (o *options) count(r *sim.Report, fired map[string]int) {
	for site, n := range r.Faults {
		fired["fault "+site] += n
	}
	for name, n := range r.Seen {
		fired["state "+name] += n
	}
}

// againEvery runs one is made twice.
const againEvery = 16

// again makes a run again, for the first in a place where escapes show, and compares.
func (o *options) again(t testing.TB, scenario Scenario, first *sim.Report, guarded bool) {
	t.Helper()
	var r *sim.Report
	again := func(*testing.T) {
		r = sim.Run(first.Seed, scenario, o.with(sim.With(sim.Replay(first.Schedule)), sim.Guard())...)
	}
	if tt, ok := t.(*testing.T); ok && guarded {
		synctest.Test(tt, again)
	} else {
		again(nil)
	}
	if r.Err != nil {
		t.Fatalf("simtest: %v", r.Err)
	}
	if r.Hash != first.Hash {
		t.Fatal(o.divergence(scenario, first))
	}
}

// divergence says where two runs of one schedule part.
func (o *options) divergence(scenario Scenario, r *sim.Report) string {
	const why = "simtest: the program is not a function of its seed (the order of a map, real time, global randomness, memory of an earlier run)"
	run := func() *sim.Report {
		return sim.Run(r.Seed, scenario, o.with(sim.With(sim.Replay(r.Schedule)), sim.Record())...)
	}
	for range 20 {
		a, b := run(), run()
		for i := range min(len(a.Trace), len(b.Trace)) {
			if a.Trace[i] != b.Trace[i] {
				return why + "; first difference:\n  " + a.Trace[i] + "\n  " + b.Trace[i]
			}
		}
	}
	return why
}
