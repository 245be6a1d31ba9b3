package store_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/store"
)

// Writers race in a simulation: the same seed gives the same run and content, some other seed another winner.
func TestMemoryInASimulation(t *testing.T) {
	run := func(seed uint64) (*sim.Report, string) {
		s := store.NewMemory()
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(_ context.Context, scope *registry.Scope) error {
				for i := range 4 {
					scope.Go(fmt.Sprint("writer", i), func(ctx context.Context) error {
						b := new(store.Batch)
						b.Put([]byte("winner"), fmt.Append(nil, i))
						tk, err := s.Apply(ctx, b, store.Durable)
						if err != nil {
							return err
						}
						return tk.Wait(ctx)
					})
				}
				return nil
			})
		})
		v, err := s.Get([]byte("winner"))
		require.NoError(t, err)
		return r, string(v)
	}
	winners := map[string]bool{}
	for seed := range uint64(20) {
		a, winner := run(seed)
		require.NoError(t, a.Err)
		b, again := run(seed)
		require.Equal(t, a.Hash, b.Hash)
		require.Equal(t, winner, again)
		require.Positive(t, a.Steps)
		winners[winner] = true
	}
	require.Greater(t, len(winners), 1)
}
