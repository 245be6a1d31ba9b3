package stm_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// juggle moves coins between accounts, by tasks that wait, choose between alternatives and fail halfway.
func juggle(ctx context.Context) error {
	accounts := make([]*stm.Var[int], 4)
	for i := range accounts {
		accounts[i] = stm.NewVar(3).Label(fmt.Sprint("account ", i))
	}
	take := func(i int) func(tx *stm.Tx) int {
		return func(tx *stm.Tx) int {
			x := accounts[i].Get(tx)
			tx.Check(x > 0)
			accounts[i].Set(tx, x-1)
			return i
		}
	}
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i := range accounts {
			s.Go(fmt.Sprint("juggler ", i), func(ctx context.Context) error {
				for k := range 6 {
					err := stm.Do(ctx, func(tx *stm.Tx) error {
						from := stm.OrElse(tx, take(i), take((i+1)%4))
						_ = stm.Try(tx, func(tx *stm.Tx) error {
							accounts[(from+2)%4].Set(tx, 99)
							return context.Canceled
						})
						accounts[(from+k)%4].Update(tx, func(x int) int { return x + 1 })
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
}

// The same seed gives the same trace, another seed another: the engine adds no order of its own, neither by addresses nor by maps.
func TestSameSeedSameTrace(t *testing.T) {
	run := func(seed uint64) *sim.Report {
		r := sim.Run(seed, juggle)
		require.NoError(t, r.Err)
		require.Greater(t, r.Steps, 20)
		return r
	}
	seen := map[uint64]bool{}
	seeds := long.N(300, 10_000)
	for seed := range uint64(seeds) {
		r := run(seed)
		require.Equal(t, r.Hash, run(seed).Hash, "seed %d", seed)
		seen[r.Hash] = true
	}
	require.Greater(t, len(seen), seeds*9/10, "seeds make no difference")
}
