package chainsel

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
)

// FuzzAddBlock hands in blocks with any slot and number on any predecessor: a verdict, never a panic, and the selection stays whole.
func FuzzAddBlock(f *testing.F) {
	f.Add(uint64(1), uint64(1), uint8(0), uint64(2), uint64(2), uint8(9))
	f.Add(uint64(0), uint64(0), uint8(0), uint64(math.MaxUint64), uint64(math.MaxUint64), uint8(3))
	f.Add(uint64(9), uint64(8), uint8(7), uint64(10), uint64(9), uint8(9))
	f.Add(uint64(9), uint64(math.MaxUint64), uint8(8), uint64(10), uint64(0), uint8(9))
	a := run(genesis, 7, "a")
	f.Fuzz(func(t *testing.T, slot1, no1 uint64, prev1 uint8, slot2, no2 uint64, prev2 uint8) {
		cfg := config(store.NewMemory())
		cfg.K, cfg.VolatileMax = 3, 2
		open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
			add(t, ctx, c, a...)
			prevs := []chain.Hash{genesis.Point.Hash}
			for _, b := range a {
				prevs = append(prevs, b.Header.Hash())
			}
			known := &forest{by: map[chain.Hash]chain.Block{}}
			for _, b := range a {
				known.add(b)
			}
			for _, x := range []struct {
				slot, no uint64
				prev     uint8
			}{{slot1, no1, prev1}, {slot2, no2, prev2}, {slot1, no1, prev2}, {slot2, no1, prev1}} {
				p := chain.Hash{x.prev}
				if int(x.prev) < len(prevs) {
					p = prevs[x.prev]
				}
				b := blockOf(chain.Fields{Slot: chain.Slot(x.slot), BlockNo: chain.BlockNo(x.no), Prev: p}, "fuzz")
				known.add(b)
				prevs = append(prevs, b.Header.Hash())
				added, err := c.AddBlock(ctx, b)
				if errors.Is(err, ErrInvalid) {
					continue
				}
				require.NoError(t, err)
				_, err = added.Wait(ctx)
				require.NoError(t, err)
			}
			require.NoError(t, known.checkSelection(query(ctx, c.Selection), cfg.K))
		})
	})
}

// FuzzStored puts any bytes where the stored chain is: Open refuses or finds a chain, and never panics.
func FuzzStored(f *testing.F) {
	b := after(genesis, "a")
	good := record{0, b.Header.Tip()}.bytes(genesis.Point.Hash)
	f.Add(good, b.Header.Bytes(), b.Body)
	f.Add(good[:20], []byte{0x82}, []byte{})
	far := record{1 << 62, chain.Tip{BlockNo: math.MaxUint64}}.bytes(genesis.Point.Hash)
	f.Add(far, b.Header.Bytes(), b.Body)
	f.Fuzz(func(t *testing.T, ends, header, body []byte) {
		mem := store.NewMemory()
		d := disk{store: mem, prefix: prefixDefault}
		batch := new(store.Batch)
		batch.Put(d.recordKey(), ends)
		batch.Put(d.key('h', 1), header)
		batch.Put(d.key('b', 1), body)
		_, err := mem.Apply(context.Background(), batch, store.Durable)
		require.NoError(t, err)
		tip, err := reopen(config(mem))
		if err != nil {
			require.ErrorIs(t, err, ErrCorrupt)
		} else {
			require.EqualValues(t, 1, tip.BlockNo)
		}
	})
}
