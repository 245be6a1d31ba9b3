package chainsel

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
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

// TestFlippedBitsOnDisk: a chain with snapshots in a directory of which one bit was changed opens as it was, or not at all, with an error that names the
// directory.
func TestFlippedBitsOnDisk(t *testing.T) {
	dir := t.TempDir()
	var end tallied
	life := func(dir string, f func(ctx context.Context, c *Chain[tallied]) error) error {
		return registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			db, err := pebble.Open(s, dir, pebble.Config{MemTableBytes: 1 << 16})
			if err != nil {
				return err
			}
			cfg, _, _ := snapping(db)
			c, err := Open(ctx, s, cfg)
			if err == nil {
				err = f(ctx, c)
			}
			return err
		})
	}
	blocks := counted(40)
	for from := 0; from < len(blocks); from += 20 {
		require.NoError(t, life(dir, func(ctx context.Context, c *Chain[tallied]) error {
			add(t, ctx, c, blocks[from:from+20]...)
			settled(t, ctx, c)
			end = query(ctx, c.Selection).State
			return nil
		}))
	}
	names, err := os.ReadDir(dir)
	require.NoError(t, err)
	content := map[string][]byte{}
	for _, e := range names {
		content[e.Name()], err = os.ReadFile(filepath.Join(dir, e.Name()))
		require.NoError(t, err)
	}
	refused, opened := 0, 0
	for name, b := range content {
		step := max(1, len(b)/long.N(4, 400))
		for at := step / 2; at < len(b); at += step {
			damaged := t.TempDir()
			for other, b := range content {
				if other == name {
					b = append([]byte{}, b...)
					b[at] ^= 1 << (at % 8)
				}
				require.NoError(t, os.WriteFile(filepath.Join(damaged, other), b, 0o600))
			}
			what := fmt.Sprintf("%s at %d", name, at)
			err := life(damaged, func(ctx context.Context, c *Chain[tallied]) error {
				require.Equal(t, end, query(ctx, c.Selection).State, what)
				return followWhole(ctx, c, tipOf(blocks))
			})
			if opened++; err != nil {
				opened, refused = opened-1, refused+1
				require.ErrorContains(t, err, damaged, what)
			}
		}
	}
	t.Logf("%d refused, %d without effect", refused, opened)
	require.NotZero(t, refused)
}
