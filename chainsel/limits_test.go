package chainsel

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
	"github.com/synodkit/synod/trace"
)

// orphan is a block whose predecessor nobody has.
func orphan(no chain.BlockNo, body string) chain.Block {
	return blockOf(chain.Fields{Slot: chain.Slot(no), BlockNo: no, Prev: chain.HashOf([]byte("nobody " + body))}, body)
}

// volatileSize is how much the volatile part holds, as others see it.
func volatileSize(ctx context.Context, c *Chain[tallied]) (blocks, bytes int) {
	for _, p := range query(ctx, c.volatile.Get).All() {
		blocks, bytes = blocks+1, bytes+len(p.block.Header.Bytes())+len(p.block.Body)
	}
	return blocks, bytes
}

func TestFloodOfOrphans(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.VolatileMax = 10
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 3, "a")
		add(t, ctx, c, a...)
		for i := range 50 {
			r := add(t, ctx, c, orphan(chain.BlockNo(3+i%5), fmt.Sprint(i)))
			require.Equal(t, Waiting, r.Verdict)
			n, _ := volatileSize(ctx, c)
			require.LessOrEqual(t, n, 10)
		}
		require.False(t, query(ctx, func(tx *stm.Tx) bool { return c.Has(tx, orphan(3, "0").Header.Hash()) }), "the oldest orphan went")
		require.True(t, query(ctx, func(tx *stm.Tx) bool { return c.Has(tx, orphan(7, "49").Header.Hash()) }))
		require.Equal(t, TooFar, add(t, ctx, c, orphan(14, "far")).Verdict)
		require.Equal(t, Waiting, add(t, ctx, c, orphan(13, "near")).Verdict)
		require.Equal(t, Extended, add(t, ctx, c, after(tipOf(a), "next")).Verdict)
	})
}

func TestFloodOfForks(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.VolatileMax = 15
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 4, "a")
		add(t, ctx, c, a...)
		growing := genesis // an honest fork, each block of which comes amid a flood of others
		for i := range 60 {
			parent := genesis
			if n := i % 4; n > 0 {
				parent = a[n-1].Header.Tip()
			}
			r := add(t, ctx, c, afterBy(parent, 2, fmt.Sprint("fork ", i)))
			require.Equal(t, NotBetter, r.Verdict)
			n, _ := volatileSize(ctx, c)
			require.LessOrEqual(t, n, 15)
			require.EqualValues(t, 4, r.Tip.BlockNo)
			if i%9 == 8 && growing.BlockNo < 3 {
				b := afterBy(growing, 3, "growing")
				require.Equal(t, NotBetter, add(t, ctx, c, b).Verdict)
				growing = b.Header.Tip()
			}
			if i == 27 {
				b := run(growing, 2, "grown")
				require.Equal(t, Switched, add(t, ctx, c, b[1], b[0]).Verdict)
				return
			}
		}
	})
}

func TestFloodOfBytes(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.VolatileBytesMax = 5000
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		add(t, ctx, c, run(genesis, 3, "a")...)
		for i := range 30 {
			add(t, ctx, c, orphan(4, fmt.Sprintf("%d%900d", i, 0)))
			n, bytes := volatileSize(ctx, c)
			require.LessOrEqual(t, bytes, 5000)
			require.LessOrEqual(t, n, 5)
		}
		r := add(t, ctx, c, orphan(4, fmt.Sprintf("%6000d", 0)))
		require.Equal(t, Full, r.Verdict, "a block that never fits")
	})
}

func TestFloodOfInvalid(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.InvalidMax = 3
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		var bad []chain.Block
		for i := range 20 {
			bad = append(bad, after(genesis, fmt.Sprint("bad ", i)))
			r := add(t, ctx, c, bad[i])
			require.Equal(t, Invalid, r.Verdict)
			require.ErrorIs(t, r.Err, errBad)
			require.ErrorIs(t, r.Err, ErrInvalid)
			require.LessOrEqual(t, query(ctx, c.invalid.Get).Len(), 3)
		}
		invalid := func(b chain.Block) error {
			return query(ctx, func(tx *stm.Tx) error { return c.Invalid(tx, b.Header.Hash()) })
		}
		require.NoError(t, invalid(bad[16]))
		require.ErrorIs(t, invalid(bad[17]), errBad)
		require.ErrorIs(t, invalid(bad[19]), errBad)
		_, err := c.AddBlock(ctx, bad[19])
		require.ErrorIs(t, err, errBad, "remembered")
		require.Equal(t, Invalid, add(t, ctx, c, bad[0]).Verdict, "forgotten, and found again")

		// A chain on an invalid block is not remembered, so it does not drive out anything.
		long := run(bad[19].Header.Tip(), 10, "on it")
		for _, b := range long[:1] {
			r := add(t, ctx, c, b)
			require.Equal(t, Invalid, r.Verdict)
			require.ErrorIs(t, r.Err, errBad)
		}
		require.Equal(t, Waiting, add(t, ctx, c, long[5:]...).Verdict)
		require.ErrorIs(t, invalid(bad[19]), errBad)
		n, _ := volatileSize(ctx, c)
		require.Equal(t, 5, n)
	})
}

// TestQueueIsBounded: while the disk is slow, AddBlock waits; a caller that gives up leaves nothing; one whose block is queued leaves it.
func TestQueueIsBounded(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			disk, err := storetest.NewSlow(ctx, s, store.NewMemory())
			if err != nil {
				return err
			}
			cfg := config(disk)
			cfg.QueueMax = 2
			c, err := Open(ctx, s, cfg)
			if err != nil {
				return err
			}
			a := run(genesis, 8, "a")
			gaveUp, queued := 0, 0
			for _, b := range a {
				short, cancel := env.WithTimeout(ctx, 1)
				p, err := c.AddBlock(short, b)
				if err != nil {
					gaveUp++
				} else {
					queued++
					if _, err := p.Wait(short); err == nil {
						return fmt.Errorf("%v decided at once", b.Header)
					}
				}
				cancel()
				if n := query(ctx, c.queue.Len); n > 2 {
					return fmt.Errorf("%d in the queue", n)
				}
			}
			if err := idle(ctx, c); err != nil {
				return err
			}
			tip := c.sel.Load(ctx).Tip()
			if gaveUp == 0 || queued == 0 || int(tip.BlockNo) != queued {
				return fmt.Errorf("%d gave up, %d queued, tip %v", gaveUp, queued, tip)
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
}

// TestClosing: the end of the scope fulfils every promise and frees every waiting caller.
func TestClosing(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		var open []*Added
		var late *Chain[tallied]
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			disk, err := storetest.NewSlow(ctx, s, store.NewMemory())
			if err != nil {
				return err
			}
			c, err := Open(ctx, s, config(disk))
			if err != nil {
				return err
			}
			late = c
			for _, b := range run(genesis, 20, "a") {
				a, err := c.AddBlock(ctx, b)
				if err != nil {
					return err
				}
				open = append(open, a)
			}
			return errDone
		})
		if err != errDone {
			return err
		}
		dropped := 0
		for _, a := range open {
			if r, err := a.Wait(ctx); err != nil {
				require.ErrorIs(t, err, ErrClosed)
				require.Equal(t, Dropped, r.Verdict)
				dropped++
			}
		}
		require.Positive(t, dropped)
		_, err = late.AddBlock(ctx, after(genesis, "late"))
		require.ErrorIs(t, err, ErrClosed)
		return nil
	})
	require.NoError(t, r.Err)
}

// TestLosesWhatDoesNotFit: a switch away from blocks that the volatile part has no room for gives up the newest of them, and what forks off there.
func TestLosesWhatDoesNotFit(t *testing.T) {
	cfg := config(store.NewMemory())
	cfg.K, cfg.VolatileBytesMax = 20, 4000
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := []chain.Block{after(genesis, "a")}
		for i := range 6 {
			a = append(a, after(tipOf(a), fmt.Sprintf("%d%900d", i, 0)))
		}
		add(t, ctx, c, a...)
		side := afterBy(a[5].Header.Tip(), 3, "bad side") // at the same number as the tip
		add(t, ctx, c, side)
		b := run(a[0].Header.Tip(), 7, "b")
		r := add(t, ctx, c, append(b[1:], b[0])...)
		require.Equal(t, Result{Verdict: Switched, Tip: tipOf(b)}, r)
		_, bytes := volatileSize(ctx, c)
		require.LessOrEqual(t, bytes, 4000)
		has := func(b chain.Block) bool {
			return query(ctx, func(tx *stm.Tx) bool { return c.Has(tx, b.Header.Hash()) })
		}
		require.True(t, has(a[1]), "the oldest is kept")
		require.False(t, has(a[6]))
		require.False(t, has(side))
	})
}

func TestEvents(t *testing.T) {
	var events trace.Recorder[Event]
	cfg := config(store.NewMemory())
	cfg.Tracer = events.Tracer()
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 2, "a")
		add(t, ctx, c, a...)
		add(t, ctx, c, after(tipOf(a), "bad"))
		b := run(genesis, 3, "b")
		add(t, ctx, c, b[2], b[1], b[0])
	})
	var got []Verdict
	for _, e := range events.Events() {
		require.NotEmpty(t, e.String())
		got = append(got, e.Verdict)
	}
	require.Equal(t, []Verdict{Extended, Extended, Invalid, Waiting, Waiting, Switched}, got)
}
