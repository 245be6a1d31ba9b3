package chainsel

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
)

// TestReasonsAreKept: why the selection moved to another chain, and why it did not, can be asked for afterwards; no flood of refusals drives out the
// former, and both are bounded.
func TestReasonsAreKept(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.LogMax = 4
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 3, "a")
		add(t, ctx, c, a...)
		require.Empty(t, query(ctx, c.Switches), "extensions need no reason")
		require.Empty(t, query(ctx, c.Declined))

		b := run(a[0].Header.Tip(), 3, "b")
		add(t, ctx, c, b[0])
		declined := query(ctx, c.Declined)
		require.Len(t, declined, 1)
		require.Equal(t, NotBetter, declined[0].Verdict)
		require.Equal(t, b[0].Header.Tip(), declined[0].Block)
		require.Equal(t, tipOf(a), declined[0].Tip)
		require.Equal(t, "more blocks", declined[0].Why)

		add(t, ctx, c, b[1:]...)
		switches := query(ctx, c.Switches)
		require.Len(t, switches, 1)
		require.Equal(t, Switched, switches[0].Verdict)
		require.Equal(t, "more blocks", switches[0].Why)
		require.Equal(t, 2, switches[0].Move.Depth)
		require.Contains(t, switches[0].String(), "3 added (more blocks)")

		tip := tipOf(b)
		for i := range 10 {
			add(t, ctx, c, after(tip, fmt.Sprint("bad ", i)))
		}
		lost := chain.Tip{Point: chain.Point{Slot: 1 << 20, Hash: chain.HashOf([]byte("far"))}, BlockNo: 1 << 20}
		add(t, ctx, c, after(lost, "far"))
		declined = query(ctx, c.Declined)
		require.Len(t, declined, 4)
		require.Equal(t, Invalid, declined[2].Verdict)
		require.ErrorIs(t, declined[2].Err, errBad)
		require.Equal(t, TooFar, declined[3].Verdict)
		require.Equal(t, whyFar, declined[3].Why)
		require.Equal(t, switches, query(ctx, c.Switches))
	})
}

// TestTieHasAReason: of two chains of one length the order's tie-break decides, and says so.
func TestTieHasAReason(t *testing.T) {
	a, b := after(genesis, "a"), after(genesis, "b")
	if (Longest{}).Compare(a.Header.Tip(), b.Header.Tip()) > 0 {
		a, b = b, a
	}
	open(t, config(store.NewMemory()), func(ctx context.Context, c *Chain[tallied]) {
		require.Equal(t, Switched, add(t, ctx, c, a, b).Verdict)
		require.Equal(t, "as many blocks, smaller hash", query(ctx, c.Switches)[0].Why)
	})
	open(t, config(store.NewMemory()), func(ctx context.Context, c *Chain[tallied]) {
		require.Equal(t, NotBetter, add(t, ctx, c, b, a).Verdict)
		require.Equal(t, "as many blocks, smaller hash", query(ctx, c.Declined)[0].Why)
	})
}

// TestEventsReadWell: one line each, with the reason.
func TestEventsReadWell(t *testing.T) {
	at := chain.Tip{BlockNo: 7}
	require.Equal(t, fmt.Sprintf("snapshot of %v: written", at), Event{Snapshot: snapshotWritten, Block: at}.String())
	require.Equal(t, fmt.Sprintf("snapshot of %v: unusable: bad body", at), Event{Snapshot: snapshotUnusable, Block: at, Err: errBad}.String())
	require.Equal(t, "snapshot used", Event{Snapshot: snapshotUsed}.Kind())
	require.Equal(t, "not better", Event{Verdict: NotBetter}.Kind())
}
