package chainsel

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// forgetful is a store that keeps nothing.
type forgetful struct{ *store.Memory }

func (forgetful) Apply(context.Context, *store.Batch, store.Durability) (*store.Ticket, error) {
	return store.DoneTicket(nil), nil
}

func benchmarked(b *testing.B, k int, st store.Store, f func(ctx context.Context, c *Chain[tallied])) {
	cfg := config(st)
	cfg.K, cfg.QueueMax, cfg.VolatileMax = k, 256, 50_000
	require.NoError(b, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, cfg)
		if err == nil {
			f(ctx, c)
		}
		return err
	}))
}

// BenchmarkExtend is bulk sync without signatures: K = 2160, blocks of 1 KB, a store that keeps nothing. Its peer is what cannot be left out: the
// body's hash, the ledger, the batch. (A signature costs 70 us more.)
func BenchmarkExtend(b *testing.B) {
	const run = 4096
	blocks := make([]chain.Block, run)
	tip := genesis
	for i := range blocks {
		blocks[i] = after(tip, fmt.Sprintf("%1024d", i))
		tip = blocks[i].Header.Tip()
	}
	b.Run("peer=bare", func(b *testing.B) {
		ctx, state := context.Background(), tallied{}
		d := disk{store: forgetful{}, prefix: "chain/"}
		for i := range b.N {
			x := blocks[i%run]
			if _, err := chain.NewBlock(x.Header, x.Body); err != nil {
				b.Fatal(err)
			}
			var err error
			if state, err = (tally{}).Apply(state, x); err != nil {
				b.Fatal(err)
			}
			if _, err := d.store.Apply(ctx, d.move(0, 0, []chain.Block{x}, 0), store.Durable); err != nil {
				b.Fatal(err)
			}
		}
	})
	for _, wait := range []bool{true, false} {
		b.Run(fmt.Sprintf("peer=chainsel/wait=%v", wait), func(b *testing.B) {
			for done := 0; done < b.N; {
				b.StopTimer()
				benchmarked(b, 2160, forgetful{store.NewMemory()}, func(ctx context.Context, c *Chain[tallied]) {
					b.StartTimer()
					var last *Added
					for i := 0; i < run && done < b.N; i, done = i+1, done+1 {
						a, err := c.AddBlock(ctx, blocks[i])
						if err != nil {
							b.Fatal(err)
						}
						if last = a; wait {
							if _, err := a.Wait(ctx); err != nil {
								b.Fatal(err)
							}
						}
					}
					if _, err := last.Wait(ctx); err != nil {
						b.Fatal(err)
					}
					b.StopTimer()
				})
			}
		})
	}
}

// BenchmarkSwitch is a switch to a fork of depth 100, K = 400: all of it, from AddBlock of the last block to the result; what of it is the one
// transaction; and as a peer the bare ledger over the same blocks.
func BenchmarkSwitch(b *testing.B) {
	const depth = 100
	b.Run("depth=100/part=all", func(b *testing.B) {
		benchmarked(b, 400, store.NewMemory(), func(ctx context.Context, c *Chain[tallied]) {
			add(b, ctx, c, run(genesis, depth, "base")...)
			for i := range b.N {
				b.StopTimer()
				base := c.sel.Load(ctx)
				at := base.tipAt(base.Fragment.Len() - 1 - depth)
				fork := run(at, depth+1, fmt.Sprint(i))
				add(b, ctx, c, fork[1:]...)
				b.StartTimer()
				if r := add(b, ctx, c, fork[0]); r.Verdict != Switched {
					b.Fatal(r)
				}
			}
		})
	})
	b.Run("depth=100/part=transaction", func(b *testing.B) {
		ctx := context.Background()
		c, sel, err := newChain(ctx, config(store.NewMemory()))
		require.NoError(b, err)
		t := newSelector(c, sel)
		other := newSelection(genesis, tallied{})
		b.ReportAllocs()
		for i := range b.N {
			t.sel, t.stat.Moves = other, uint64(i)
			if err := stm.Do(ctx, func(tx *stm.Tx) error { t.publish(tx); return nil }); err != nil {
				b.Fatal(err)
			}
			sel, other = other, sel
		}
	})
	b.Run("depth=100/part=validation", func(b *testing.B) {
		blocks := run(genesis, depth+1, "bare")
		for range b.N {
			state := tallied{}
			for _, x := range blocks {
				state, _ = tally{}.Apply(state, x)
			}
		}
	})
}
