package storetest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

// TestSlow sees what a slow store shows at once, what it keeps, and what is lost when it stops; and that it can be made to lie.
func TestSlow(t *testing.T) {
	for _, c := range []struct {
		stopAt        int
		effect, eager bool
		kept          []string // of a, b
		told          bool     // that b is durable
	}{
		{0, false, false, []string{"a", "b"}, true},
		{2, false, false, []string{"a"}, false},
		{2, true, false, []string{"a", "b"}, false},
		{2, false, true, []string{"a"}, true},
	} {
		r := sim.Run(1, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				d, err := storetest.NewSlow(ctx, s, store.NewMemory())
				require.NoError(t, err)
				d.StopAt, d.Effect, d.Eager = c.stopAt, c.effect, c.eager
				var last *store.Ticket
				for _, k := range []string{"a", "b"} {
					b := new(store.Batch)
					b.Put([]byte(k), nil)
					last, err = d.Apply(ctx, b, store.Durable)
					require.NoError(t, err)
					_, err = d.Get([]byte(k))
					require.NoError(t, err, "can be read at once")
				}
				_, err = d.Durable.Get([]byte("a"))
				require.ErrorIs(t, err, store.ErrNotFound)
				told, err := stm.Query(ctx, func(tx *stm.Tx) bool {
					tx.Check(d.Stopped.Get(tx) || d.Idle(tx))
					_, done := last.Done(tx)
					return done
				})
				require.Equal(t, c.told, told)
				var kept []string
				for e := range d.Durable.Scan(nil, nil) {
					kept = append(kept, string(e.Key))
				}
				require.Equal(t, c.kept, kept)
				return err
			})
		})
		require.NoError(t, r.Err)
	}
}
