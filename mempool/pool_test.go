package mempool

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestLifeOfATransaction(t *testing.T) {
	w := newWorld(2)
	a, b, c := op{Account: "a"}, op{Account: "a", Nonce: 1}, op{Account: "c"}
	mem := store.NewMemory()
	withPool(t, w.config(mem), func(ctx context.Context, p *testPool) {
		id, err := p.Submit(ctx, a.raw())
		require.NoError(t, err)
		require.Equal(t, a.id(), id)
		require.NoError(t, p.Offer(ctx, b.raw()))
		require.NoError(t, p.Offer(ctx, c.raw()))
		require.ErrorIs(t, p.Offer(ctx, a.raw()), ErrKnown)
		_, err = p.Submit(ctx, a.raw())
		require.NoError(t, err)

		fork := w.now.Load(ctx).fragment.Tip()
		tip, err := w.grow(ctx, a.raw(), c.raw())
		require.NoError(t, err)
		s, err := settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{b.id()}, ids(s))
		require.Equal(t, Status{Stage: Included, At: tip}, query(ctx, func(tx *stm.Tx) Status { return p.Status(tx, a.id()) }))

		x, err := w.after(ctx, fork, 1, c.raw())
		require.NoError(t, err)
		require.NoError(t, w.choose(ctx, x, false))
		s, err = settle(ctx, p)
		require.NoError(t, err)
		require.Equal(t, []chain.Hash{a.id(), b.id()}, ids(s))

		for range 3 {
			_, err = w.grow(ctx)
			require.NoError(t, err)
		}
		_, err = w.grow(ctx, a.raw(), b.raw())
		require.NoError(t, err)
		for range 3 {
			require.Equal(t, 1, query(ctx, p.Stats).Local)
			_, err = w.grow(ctx)
			require.NoError(t, err)
			s, err = settle(ctx, p)
			require.NoError(t, err)
			require.Zero(t, s.Len)
			if st := query(ctx, p.Stats); st.Local == 0 {
				break
			}
		}
	})
}
