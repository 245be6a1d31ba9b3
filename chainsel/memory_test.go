package chainsel

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store"
)

// heavy is a ledger's state of a kilobyte, so that one kept too long shows.
type heavy struct {
	n    int
	fill [1 << 10]byte
}

type heavies struct{}

func (heavies) Apply(s *heavy, b chain.Block) (*heavy, error) {
	if b.Body[0] == '!' {
		return nil, errBad
	}
	return &heavy{n: s.n + 1}, nil
}

// sieve is a store that forgets what no rollback reaches, so that it does not grow itself.
type sieve struct {
	*store.Memory
	keep uint64
}

func (s sieve) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	t, err := s.Memory.Apply(ctx, b, d)
	if err != nil {
		return t, err
	}
	old := new(store.Batch)
	for op := range b.Ops() {
		if len(op.Key) < 8 || op.Delete {
			continue
		}
		if n := binary.BigEndian.Uint64(op.Key[len(op.Key)-8:]); n > s.keep {
			old.Delete(binary.BigEndian.AppendUint64(op.Key[:len(op.Key)-8:len(op.Key)-8], n-s.keep))
		}
	}
	return s.Memory.Apply(ctx, old, d)
}

// grow adds n blocks of the life of a node: forks that lose and forks that win, invalid blocks, and blocks whose predecessor never comes.
func grow(t *testing.T, ctx context.Context, c *Chain[*heavy], n int, each func()) {
	give := func(b chain.Block) {
		a, err := c.AddBlock(ctx, b)
		require.NoError(t, err)
		_, err = a.Wait(ctx)
		require.NoError(t, err)
	}
	body := make([]byte, 512)
	for i := range n {
		tip := query(ctx, c.Tip)
		say := func(what string) string { return fmt.Sprintf("%s %d %s", what, tip.BlockNo, body) }
		switch i % 16 {
		case 3:
			give(after(tip, say("!")))
		case 7:
			give(after(chain.Tip{Point: chain.Point{Slot: tip.Point.Slot, Hash: chain.HashOf([]byte(say("lost")))}, BlockNo: tip.BlockNo}, say("orphan")))
		case 11: // a fork of two blocks from the one before the tip: it loses, then wins
			before, err := c.At(ctx, tip.BlockNo-1)
			require.NoError(t, err)
			one := afterBy(before.Tip(), 2, say("fork"))
			give(one)
			give(after(one.Header.Tip(), say("fork")))
		}
		give(after(query(ctx, c.Tip), say("block")))
		each()
	}
}

// heapBytes are what is in use after collection.
func heapBytes() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// grownBy is by how much the heap grows over n blocks, after enough of them to fill every bound.
func grownBy(t *testing.T, n int, each func(c *Chain[*heavy])) (bytes int) {
	const k = 32
	cfg := Config[*heavy]{
		Genesis: genesis, Initial: &heavy{}, K: k, Ledger: heavies{}, Store: sieve{store.NewMemory(), 4 * k}, VolatileMax: 32, InvalidMax: 32,
	}
	require.NoError(t, registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, cfg)
		if err != nil {
			return err
		}
		grow(t, ctx, c, 1000, func() { each(c) })
		before := heapBytes()
		grow(t, ctx, c, n, func() { each(c) })
		bytes = heapBytes() - before
		stats := query(ctx, c.Stats)
		require.Greater(t, stats.Rollbacks, uint64(n/16))
		require.Greater(t, stats.Invalid, uint64(n/16))
		return nil
	}))
	return bytes
}

// TestFlatMemory: once K blocks are selected and every bound is full, what a node holds does not grow with its chain.
func TestFlatMemory(t *testing.T) {
	const bound = 512 << 10 // all that is bounded here is about 200 KiB
	n := long.N(3000, 100_000)
	flat := grownBy(t, n, func(*Chain[*heavy]) {})
	t.Logf("%d blocks: %d bytes, %.2f a block", n, flat, float64(flat)/float64(n))
	require.Less(t, flat, bound)

	var kept []*heavy // planted: one state a block
	leak := grownBy(t, n, func(c *Chain[*heavy]) { kept = append(kept, c.sel.Load(t.Context()).State) })
	require.Greater(t, leak, bound, "%d states", len(kept))
	var headers []*chain.Header // planted: one header a block
	leak = grownBy(t, n, func(c *Chain[*heavy]) { headers = append(headers, c.sel.Load(t.Context()).Fragment.At(0)) })
	require.Greater(t, leak, bound, "%d headers", len(headers))
}
