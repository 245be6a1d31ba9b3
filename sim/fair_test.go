package sim_test

import (
	"context"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// fairly has one task write while three spin, and says how many steps the write had to wait, or -1 if the run was endless.
func fairly(t *testing.T, fair bool, opts ...sim.Option) int {
	waited := -1
	r := sim.Run(1, func(ctx context.Context) error {
		w, done := seam.From(ctx), stm.NewVar(0)
		var spins atomic.Int32
		w.(interface{ Fair(on bool) }).Fair(fair)
		var joins []func()
		for range 3 {
			joins = append(joins, w.Spawn("spinner", func() {
				for done.Load(ctx) == 0 {
					spins.Add(1)
				}
			}))
		}
		joins = append(joins, w.Spawn("writer", func() { done.Load(ctx); _ = stm.Do(ctx, inc(done)); waited = int(spins.Load()) }))
		for _, j := range joins {
			j()
		}
		return nil
	}, append(opts, sim.StepsMax(1000))...)
	if r.Err != nil {
		require.ErrorIs(t, r.Err, sim.ErrEndless)
		require.ErrorContains(t, r.Err, "going on: spinner")
	}
	return waited
}

// An unfair scheduler lets a task wait for ever; fairness, over the same scheduler, for a round each step.
func TestFair(t *testing.T) {
	require.Equal(t, -1, fairly(t, false, sim.With(oldest{})))
	for _, opts := range [][]sim.Option{nil, {sim.With(oldest{})}, {sim.With(&youngest{})}} {
		n := fairly(t, true, opts...)
		require.GreaterOrEqual(t, n, 0)
		require.LessOrEqual(t, n, 8)
	}
}
