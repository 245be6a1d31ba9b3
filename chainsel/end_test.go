package chainsel

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
)

// ending is snapping with a snapshot at the end of each life.
func ending(s store.Store) (Config[tallied], *[]Event, *int) {
	cfg, traced, applied := snapping(s)
	cfg.SnapshotAtEnd = true
	return cfg, traced, applied
}

// A life that ends in order leaves its last state behind, and the next one applies nothing. Planted: without SnapshotAtEnd it does.
func TestEndIsResumed(t *testing.T) {
	for _, atEnd := range []bool{true, false} {
		mem := store.NewMemory()
		blocks := counted(47)
		var end tallied
		for life, to := range []int{3, 20, 40, 41, 41, 47, 47} {
			cfg, traced, applied := ending(mem)
			cfg.SnapshotAtEnd = atEnd
			open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
				if life > 0 {
					require.Equal(t, end, query(ctx, c.Selection).State)
				}
				if atEnd && life > 0 {
					require.Zero(t, *applied, "life %d", life)
					require.Equal(t, []string{fmt.Sprint("used ", query(ctx, c.Tip).BlockNo)}, outcomes(*traced))
				} else if !atEnd && life > 0 {
					require.Positive(t, *applied, "life %d", life)
				}
				if from := int(query(ctx, c.Tip).BlockNo); from < to {
					add(t, ctx, c, blocks[from:to]...)
				}
				end = query(ctx, c.Selection).State
			})
		}
	}
}

// snapshotsOf are the numbers of the snapshots that a store holds, newest first.
func snapshotsOf(t require.TestingT, mem *store.Memory) (numbers []int) {
	ms, bad, err := (disk{store: mem, prefix: prefixDefault}).manifests()
	require.NoError(t, err)
	for i, m := range ms {
		require.NoError(t, bad[i])
		numbers = append(numbers, int(m.at.BlockNo))
	}
	return numbers
}

// However short the lives are, few snapshots stay, and among them is one that no rollback passes and that is not far behind.
func TestEndsAreBounded(t *testing.T) {
	mem := store.NewMemory()
	blocks := counted(60)
	for from := 0; from < len(blocks); from += 4 {
		cfg, _, _ := ending(mem)
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			add(t, ctx, c, blocks[from:from+4]...)
			settled(t, ctx, c)
		})
		ns := snapshotsOf(t, mem)
		require.LessOrEqual(t, len(ns), snapshotsKept+2, "%v", ns)
		require.Equal(t, from+4, ns[0])
		if from > 10 {
			begin := slices.IndexFunc(ns, func(n int) bool { return n <= from+4-cfg.K })
			require.GreaterOrEqual(t, begin, 1, "%v", ns)
			require.GreaterOrEqual(t, ns[begin], from+4-3*cfg.K, "%v", ns)
		}
	}
}

// A chain that leaves the selection before the block that Open went on from makes the states before it known again: from a snapshot, or from the start.
func TestEndIsLeft(t *testing.T) {
	for _, length := range []int{4, 30} {
		mem := store.NewMemory()
		blocks := counted(length)
		cfg, _, _ := ending(mem)
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) { add(t, ctx, c, blocks...) })
		cfg, _, applied := ending(mem)
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			at := length - 3
			_, known := query(ctx, c.Selection).StateAt(blocks[at-1].Point())
			require.False(t, known)
			tip, fork := blocks[at-1].Header.Tip(), []chain.Block(nil)
			for i := range 5 {
				b := afterBy(tip, 2, fmt.Sprint("n ", at+i))
				fork, tip = append(fork, b), b.Header.Tip()
			}
			require.Zero(t, *applied)
			add(t, ctx, c, fork...)
			sel := query(ctx, c.Selection)
			require.Equal(t, tip, sel.Tip())
			require.Equal(t, at+5, sel.State.n)
			state, known := sel.StateAt(blocks[at-1].Point())
			require.True(t, known)
			require.Equal(t, at, state.n)
		})
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			require.Equal(t, length+2, query(ctx, c.Selection).State.n)
		})
	}
}

// A snapshot of an end that was rolled back, or that was changed, is passed over, and the state is right all the same.
func TestEndIsNotTrusted(t *testing.T) {
	for _, change := range []string{"torn", "rolled back"} {
		mem := store.NewMemory()
		blocks := counted(40)
		cfg, _, _ := ending(mem)
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) { add(t, ctx, c, blocks...); settled(t, ctx, c) })
		want := 40
		switch change {
		case "torn":
			put(t, mem, (disk{store: mem, prefix: prefixDefault}).chunkKey(40, 0), make([]byte, chunkBytes))
		case "rolled back":
			cfg.SnapshotAtEnd = false
			open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
				tip := blocks[38].Header.Tip()
				for i := range 2 {
					b := afterBy(tip, 2, fmt.Sprint("n ", 39+i))
					add(t, ctx, c, b)
					tip = b.Header.Tip()
				}
			})
			want = 41
		}
		cfg, traced, applied := ending(mem)
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			require.Equal(t, "unusable 40", outcomes(*traced)[0])
			require.Equal(t, want, query(ctx, c.Selection).State.n)
			require.Positive(t, *applied)
		})
	}
}

// TestEndsChangeNothing feeds the same blocks, with forks, to a chain of one life and to one that is ended now and then: both select the same.
func TestEndsChangeNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tips := []chain.Tip{genesis}
		var blocks []chain.Block
		for i := range rapid.IntRange(1, 40).Draw(rt, "blocks") {
			at := rapid.IntRange(max(0, len(tips)-6), len(tips)-1).Draw(rt, "after")
			b := afterBy(tips[at], chain.Slot(1+i), fmt.Sprint("n ", tips[at].BlockNo))
			blocks, tips = append(blocks, b), append(tips, b.Header.Tip())
		}
		type outcome struct {
			tip   chain.Tip
			state tallied
		}
		var whole, parts outcome
		look := func(ctx context.Context, c *Chain[tallied]) outcome {
			sel := query(ctx, c.Selection)
			return outcome{sel.Tip(), sel.State}
		}
		feed := func(ctx context.Context, c *Chain[tallied], bs []chain.Block) {
			for _, b := range bs {
				if p, err := c.AddBlock(ctx, b); err == nil {
					_, _ = p.Wait(ctx)
				}
			}
		}
		cfg, _, _ := snapping(store.NewMemory())
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) { feed(ctx, c, blocks); whole = look(ctx, c) })
		mem := store.NewMemory()
		var fed []chain.Block
		for rest := blocks; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(rt, "life")
			cfg, _, _ := ending(mem)
			open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
				feed(ctx, c, fed) // what was not selected was in memory alone, and comes again
				feed(ctx, c, rest[:n])
				parts = look(ctx, c)
			})
			fed, rest = append(fed, rest[:n]...), rest[n:]
		}
		require.Equal(rt, whole.tip.BlockNo, parts.tip.BlockNo)
		require.Equal(rt, int(parts.tip.BlockNo), parts.state.n)
	})
}
