package chainsel

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store/pebble"
)

// TestOnDisk: the chain on the store that nodes use, over restarts, with a fork between.
func TestOnDisk(t *testing.T) {
	dir := t.TempDir()
	a := run(genesis, 12, "a")
	b := run(a[9].Header.Tip(), 4, "b")
	life := func(f func(ctx context.Context, c *Chain[tallied])) {
		require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			db, err := pebble.Open(s, dir, pebble.Config{})
			if err != nil {
				return err
			}
			c, err := Open(ctx, s, config(db))
			if err == nil {
				f(ctx, c)
			}
			return err
		}))
	}
	life(func(ctx context.Context, c *Chain[tallied]) { add(t, ctx, c, a...) })
	life(func(ctx context.Context, c *Chain[tallied]) {
		require.Equal(t, tipOf(a), query(ctx, c.Tip))
		require.Equal(t, Switched, add(t, ctx, c, b[3], b[2], b[1], b[0]).Verdict)
		require.NoError(t, followWhole(ctx, c, tipOf(b)))
	})
	life(func(ctx context.Context, c *Chain[tallied]) {
		require.Equal(t, tipOf(b), query(ctx, c.Tip))
		require.Equal(t, 14, query(ctx, c.Selection).State.n)
		got, err := collect(ctx, c, a[2].Point(), b[3].Point())
		require.NoError(t, err)
		require.Equal(t, append(append(a[:0:0], a[2:10]...), b...), got)
	})
}
