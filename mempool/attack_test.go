package mempool

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// manual opens a pool without tasks: follow makes a move to the selection, and during it calls what is hooked, once.
func (w *world) manual(t *testing.T, f func(ctx context.Context, p *testPool, hook *func(), follow func())) {
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, _ *registry.Scope) error {
		cfg, hook := w.config(store.NewMemory()), func() {}
		cfg.Block = func(ctx context.Context, p chain.Point) (chain.Block, error) {
			during := hook
			hook = func() {}
			during()
			return w.block(ctx, p)
		}
		p, sync, err := open(ctx, cfg)
		require.NoError(t, err)
		f(ctx, p, &hook, func() {
			now := w.now.Load(ctx)
			require.NoError(t, sync.follow(ctx, target[*book]{now.fragment, now.state}))
		})
		return nil
	}))
}

// admit is Submit but for the wait.
func admit(ctx context.Context, p *testPool, o op) (*local[op], error) {
	return (&admission[*book, op]{p: p, id: o.id(), size: len(o.raw()), own: true}).run(ctx, o.raw())
}

// What is submitted while a move takes away the block that it is in is tried again, and not taken for included, whatever the move can see of the chain.
func TestSubmitWhatIsRolledBackMeanwhile(t *testing.T) {
	for name, c := range map[string]struct {
		longer int // the other chain
		hide   bool
	}{"at once": {2, false}, "its block is gone": {2, true}, "out of sight": {5, false}} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(3)
			w.manual(t, func(ctx context.Context, p *testPool, hook *func(), follow func()) {
				a := op{Account: "a"}
				_, err := w.grow(ctx, a.raw())
				require.NoError(t, err)
				follow()
				tip := genesis
				for range c.longer {
					tip, err = w.after(ctx, tip, 2)
					require.NoError(t, err)
				}
				require.NoError(t, w.choose(ctx, tip, c.hide))
				*hook = func() {
					l, err := admit(ctx, p, a)
					require.NoError(t, err)
					require.NotNil(t, l)
				}
				follow()
				_, err = w.grow(ctx)
				require.NoError(t, err)
				follow()
				require.Equal(t, []chain.Hash{a.id()}, ids(query(ctx, p.Snapshot)))
				require.Equal(t, 1, query(ctx, p.Stats).Local)
			})
		})
	}
}

// A transaction that no block can hold comes with a block of somebody who allows it, and returns. It stands in nobody's way.
func TestFitPassesOverWhatIsTooLarge(t *testing.T) {
	w := newWorld(3)
	withPool(t, w.config(store.NewMemory()), func(ctx context.Context, p *testPool) {
		before, large := op{Account: "b"}, op{Account: "a", Pad: strings.Repeat("x", 500)}
		_, err := w.grow(ctx, before.raw(), large.raw())
		require.NoError(t, err)
		_, err = settle(ctx, p)
		require.NoError(t, err)
		after := []op{{Account: "a", Nonce: 1}, {Account: "b", Nonce: 1}, {Account: "b", Nonce: 2}}
		for _, o := range after {
			require.NoError(t, p.Offer(ctx, o.raw()))
		}
		tip, err := w.after(ctx, genesis, 2)
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, tip, false))
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, 5, s.Len)
		size := len(before.raw())
		require.Equal(t, []op{before, after[1], after[2]}, s.Fit(tip, nil, 4*size))
		require.Equal(t, []op{before, after[1]}, s.Fit(tip, nil, 3*size-1))
		require.Equal(t, []op{after[1], after[2]}, s.Fit(chain.Tip{BlockNo: 9}, &book{account: "b", nonce: 1}, 4*size))
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
			require.True(t, p.Has(tx, large.id()))
			return nil
		}))
	})
}
