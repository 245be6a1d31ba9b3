package walk_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/walk"
	"github.com/synodkit/synod/stm"
)

var errOvertaken = errors.New("overtaken")

// overtaken fails if a task of two steps is done with the first, and not with the second, when one of many is done.
func overtaken(steps int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		half, done := stm.NewVar(false), stm.NewVar(false)
		w, failed := seam.From(ctx), false
		set := func(v *stm.Var[bool]) { _ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, true); return nil }) }
		short := w.Spawn("short", func() { set(half); set(done) })
		long := w.Spawn("long", func() {
			own := stm.NewVar(0)
			for range steps {
				own.Load(ctx)
			}
			failed, _ = stm.Query(ctx, func(tx *stm.Tx) bool { return half.Get(tx) && !done.Get(tx) })
		})
		short()
		long()
		if failed {
			return errOvertaken
		}
		return nil
	}
}

// rate is how many of so many runs fail.
func rate(s walk.Strategy, scenario func(ctx context.Context) error, runs int) (failed int, hashes map[uint64]bool) {
	hashes = map[uint64]bool{}
	for i := range runs {
		s.Begin(uint64(i))
		r := sim.Run(uint64(i), scenario, sim.With(s))
		if r.Err != nil {
			failed++
		}
		hashes[r.Hash] = true
	}
	return failed, hashes
}

// Every strategy varies its schedules, finds the bug without noise, and makes the same runs again.
func TestStrategies(t *testing.T) {
	for i, s := range walk.Portfolio() {
		failed, hashes := rate(s, overtaken(1), 500)
		require.NotZero(t, failed, s)
		require.Less(t, failed, 500, s)
		require.Greater(t, len(hashes), 3, s)
		again, same := rate(walk.Portfolio()[i], overtaken(1), 500)
		require.Equal(t, failed, again, s)
		require.Equal(t, hashes, same, s)
	}
}

// Behind forty steps of noise the plain walk finds nothing, and the others do.
func TestNoise(t *testing.T) {
	rates := map[string]int{}
	for _, s := range []walk.Strategy{walk.Random(), walk.Weighted(), walk.PCT(2), walk.POS()} {
		rates[s.String()], _ = rate(s, overtaken(40), 1000)
	}
	t.Log(rates)
	require.Zero(t, rates["random"])
	for _, s := range []string{"weighted", "pct(2)", "pct(2)"} {
		require.NotZero(t, rates[s], s)
	}
}

// Weighted counts the steps of tasks that are yet to start for the task that starts them.
func TestWeightsOfChildren(t *testing.T) {
	scenario := func(ctx context.Context) error {
		w, v, failed := seam.From(ctx), stm.NewVar(0), false
		parent := w.Spawn("parent", func() {
			v.Load(ctx)
			w.Spawn("child", func() {
				for range 30 {
					v.Load(ctx)
				}
				_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, 1); return nil })
			})()
		})
		other := w.Spawn("other", func() { failed = v.Load(ctx) == 1 })
		parent()
		other()
		if failed {
			return errOvertaken
		}
		return nil
	}
	weighted, _ := rate(walk.Weighted(), scenario, 1000)
	random, _ := rate(walk.Random(), scenario, 1000)
	t.Log(weighted, random)
	require.Greater(t, weighted, 10*max(random, 1))
}

func ExamplePortfolio() {
	for _, s := range walk.Portfolio() {
		failed, _ := rate(s, overtaken(1), 60)
		fmt.Println(s, failed > 0)
	}
	// Output:
	// weighted true
	// random true
	// pos true
	// weighted true
	// pct(2) true
	// pct(3) true
}
