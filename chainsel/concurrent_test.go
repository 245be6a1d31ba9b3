package chainsel

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// TestConcurrentUse is for the race detector: on real goroutines, several hand in the same blocks while others follow, read ranges and query.
func TestConcurrentUse(t *testing.T) {
	var f *forest
	rapid.Custom(func(t *rapid.T) int { f = drawForest(t, 120, 6); return 0 }).Example(1)
	cfg := config(store.NewMemory())
	cfg.K, cfg.QueueMax = 200, 4
	var got []chain.Fragment
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		done := stm.NewVar(0)
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for i := range 3 {
				s.Go(fmt.Sprint("adder ", i), func(ctx context.Context) error {
					bs := slices.Clone(f.blocks)
					if i == 1 {
						slices.Reverse(bs)
					}
					if err := addAll(ctx, c, bs); err != nil {
						return err
					}
					return stm.Do(ctx, func(tx *stm.Tx) error { done.Update(tx, func(n int) int { return n + 1 }); return nil })
				})
			}
			all := stm.NewVar(false)
			var walks []*registry.Task[chain.Fragment]
			for i := range 2 {
				w, err := c.NewFollower(ctx)
				if err != nil {
					return err
				}
				walks = append(walks, registry.Fork(s, fmt.Sprint("follower ", i), func(ctx context.Context) (chain.Fragment, error) {
					return walk(ctx, w, all, false)
				}))
			}
			for range 200 {
				sel := query(ctx, c.Selection)
				if err := f.checkSelection(sel, cfg.K); err != nil {
					return err
				}
				if sel.Fragment.Len() == 0 {
					continue
				}
				for _, err := range c.Range(ctx, sel.Fragment.At(0).Point(), sel.Tip().Point) {
					if err != nil {
						return err
					}
				}
			}
			if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(done.Get(tx) == 3); all.Set(tx, true); return nil }); err != nil {
				return err
			}
			for _, w := range walks {
				fragment, err := w.Wait(ctx)
				if err != nil {
					return err
				}
				got = append(got, fragment)
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, f.best(), query(ctx, c.Tip))
		for _, g := range got {
			require.Equal(t, f.best(), g.Tip())
		}
	})
}

// addAll hands in blocks and waits for all of them.
func addAll(ctx context.Context, c *Chain[tallied], bs []chain.Block) error {
	var all []*Added
	for _, b := range bs {
		a, err := c.AddBlock(ctx, b)
		if errors.Is(err, ErrInvalid) {
			continue
		}
		if err != nil {
			return err
		}
		all = append(all, a)
	}
	for _, a := range all {
		if _, err := a.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}
