package explore

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/sim"
)

// compare runs a program by brute force and by reduction. ok is false if brute force is too much for it.
func compare(p program, rules rules, max int) (want, got map[string]bool, brute int, res Result, ok bool, err error) {
	scenario, outcome := p.scenario()
	want, got = map[string]bool{}, map[string]bool{}
	brute, ok = bruteForce(scenario, max, func(r *sim.Report) { want[outcome(r)] = true }, sim.StepsMax(10_000), sim.Alone())
	if !ok {
		return nil, nil, brute, res, false, nil
	}
	res, err = all(scenario, Config{
		Options: []sim.Option{sim.StepsMax(10_000)},
		OnRun:   func(r *sim.Report) error { got[outcome(r)] = true; return nil },
	}, rules)
	return want, got, brute, res, true, err
}

type tally struct{ programs, tooBig, brute, runs, cut, outcomes, missed, worse int }

func (a tally) String() string {
	return fmt.Sprintf("programs %d (%d too big), brute force %d runs, reduction %d (%d cut short), outcomes %d, programs with missed outcomes %d",
		a.programs, a.tooBig, a.brute, a.runs, a.cut, a.outcomes, a.missed)
}

// validate compares random programs until n were small enough, or the first difference if stop is set.
func validate(t *testing.T, f family, seed uint64, n int, rules rules, stop bool) (a tally, example program, what string) {
	for i := 0; a.programs < n; i++ {
		p := f.program(rand.New(rand.NewPCG(seed, uint64(i))))
		want, got, brute, res, ok, err := compare(p, rules, long.N(200, 20_000))
		if !ok {
			a.tooBig++
			continue
		}
		require.NoError(t, err, "%v", p)
		require.True(t, res.Complete)
		a.programs++
		a.brute += brute
		a.runs += res.Runs
		a.cut += res.Cut
		a.outcomes += len(want)
		if !maps.Equal(want, got) {
			a.missed++
			example = p
			what = fmt.Sprintf("%v\nbrute force %v\nreduction   %v", p, slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)))
			if stop {
				return a, example, what
			}
		}
	}
	return a, example, what
}

// The reduction misses no outcome of any of thousands of random programs.
func TestReductionMissesNothing(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(families)) {
		t.Run(name, func(t *testing.T) {
			a, _, what := validate(t, families[name], 1, long.N(60, 5_000), sound(), true)
			t.Log(a)
			require.Zero(t, a.missed, what)
		})
	}
}

// Each part of the reduction that is there for soundness is needed: without it an outcome of a known program is missed.
func TestEachRuleIsNeeded(t *testing.T) {
	for name, c := range map[string]struct {
		off func(r *rules)
		p   program
	}{
		// Its conflict with task 2 vanishes when task 0 has to wait.
		"sleepRaces": {func(r *rules) { r.sleepRaces = false }, program{vars: 3, tasks: [][]op{
			{{kind: opGuard, a: 1, b: 0, k: 0}},
			{{kind: opChange, a: 0, b: 1, k: 2}, {kind: opLoad, a: 2}, {kind: opWrite, a: 1, k: 2}},
			{{kind: opLoad, a: 0}},
			{{kind: opWrite, a: 2, k: 4}},
		}}},
		// Either of tasks 1 and 2 may wake task 0, which looks no further than the first Var once that is set. Since
		// both sleep first, it waits before either.
		"waitReads": {func(r *rules) { r.waitReads = false }, program{vars: 2, tasks: [][]op{
			{{kind: opEither, a: 1, b: 0}},
			{{kind: opSleep, k: 1}, {kind: opWrite, a: 0, k: 1}}, {{kind: opSleep, k: 1}, {kind: opWrite, a: 1, k: 1}},
		}}},
		"ends": {func(r *rules) { r.ends = false }, program{vars: 2, leak: true, tasks: [][]op{
			{{kind: opWrite, a: 0, k: 2}, {kind: opWrite, a: 1, k: 1}},
		}}},
		"choices": {func(r *rules) { r.choices = false }, program{vars: 1, tasks: [][]op{{{kind: opChoose}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			want, got, _, _, ok, err := compare(c.p, sound(), 50_000)
			require.NoError(t, err)
			require.True(t, ok)
			require.Equal(t, want, got)
			r := sound()
			c.off(&r)
			_, got, _, _, _, err = compare(c.p, r, 50_000)
			require.NoError(t, err)
			require.NotEqual(t, want, got)
		})
	}
}
