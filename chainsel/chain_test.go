package chainsel

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/store"
)

func TestExtendSwitchDecline(t *testing.T) {
	open(t, config(store.NewMemory()), func(ctx context.Context, c *Chain[tallied]) {
		require.Equal(t, genesis, query(ctx, c.Tip))
		a := run(genesis, 3, "a")
		r := add(t, ctx, c, a...)
		require.Equal(t, Result{Verdict: Extended, Tip: tipOf(a)}, r)
		require.Equal(t, 3, query(ctx, c.Selection).State.n)

		b := run(a[0].Header.Tip(), 3, "b")
		require.Equal(t, Waiting, add(t, ctx, c, b[2], b[1]).Verdict)
		r = add(t, ctx, c, b[0])
		require.Equal(t, Result{Verdict: Switched, Tip: tipOf(b)}, r)
		require.EqualValues(t, 1, query(ctx, c.Rollbacks))
		require.Equal(t, Switch{From: tipOf(a), To: tipOf(b), At: a[0].Point(), Depth: 2, Added: 3}, c.last.Load(ctx))

		// back: the rolled-back blocks are still there
		r = add(t, ctx, c, run(tipOf(a), 2, "a+")...)
		require.Equal(t, Switched, r.Verdict)
		require.EqualValues(t, 5, r.Tip.BlockNo)
		st, ok := query(ctx, c.Selection).StateAt(a[0].Point())
		require.True(t, ok)
		require.Equal(t, 1, st.n)
	})
}

func TestResume(t *testing.T) {
	mem := store.NewMemory()
	a := run(genesis, 20, "a")
	open(t, config(mem), func(ctx context.Context, c *Chain[tallied]) { add(t, ctx, c, a...) })
	mem = mem.Reopen()
	open(t, config(mem), func(ctx context.Context, c *Chain[tallied]) {
		require.Equal(t, tipOf(a), query(ctx, c.Tip))
		sel := query(ctx, c.Selection)
		require.Equal(t, 5, sel.Fragment.Len())
		require.Equal(t, 20, sel.State.n)
		require.Len(t, sel.states, 6)
		require.Equal(t, 6, sel.numbers.Len())
		for b, err := range c.Range(ctx, a[2].Point(), a[18].Point()) {
			require.NoError(t, err)
			require.Equal(t, a[b.Header.BlockNo()-1], b)
		}
		r := add(t, ctx, c, run(a[13].Header.Tip(), 3, "late")...)
		require.Equal(t, Waiting, r.Verdict)
		r = add(t, ctx, c, run(a[10].Header.Tip(), 3, "old")[0])
		require.Equal(t, TooOld, r.Verdict)
	})
}
