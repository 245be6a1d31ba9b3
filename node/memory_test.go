package node_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// sieve is a store that forgets blocks which no rollback reaches, so that it does not grow itself.
type sieve struct {
	*store.Memory
	keep uint64
}

func (s sieve) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	t, err := s.Memory.Apply(ctx, b, d)
	if err != nil {
		return t, err
	}
	const prefix = len("chain/h") // and "chain/b"
	old := new(store.Batch)
	for op := range b.Ops() {
		if len(op.Key) != prefix+8 || op.Delete || !strings.HasPrefix(string(op.Key), "chain/") {
			continue
		}
		if n := binary.BigEndian.Uint64(op.Key[prefix:]); n > s.keep {
			old.Delete(binary.BigEndian.AppendUint64(op.Key[:prefix:prefix], n-s.keep))
		}
	}
	return s.Memory.Apply(ctx, old, d)
}

// churn writes n times a second of virtual time, over and over to the same registers.
func (c *cluster) churn(ctx context.Context, versions []uint64, seconds, perSecond int) error {
	for range seconds * perSecond {
		if err := env.Sleep(ctx, time.Second/time.Duration(perSecond)); err != nil {
			return err
		}
		k := env.Rand(ctx).IntN(len(versions))
		w := write{Key: fmt.Sprint(k), Version: versions[k], Value: "value"}
		if _, err := c.nodes[k%len(c.nodes)].Pool().Submit(ctx, w.raw()); err != nil {
			return fmt.Errorf("%v: %w", w, err)
		}
		versions[k]++
	}
	return nil
}

func heapBytes() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers let go
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// grown is by how much the heap grows over some seconds with writes, after enough of them to fill every bound. each is called after each block.
func grown(seconds int, each func(sel chainsel.Selection[state])) (bytes int, r *sim.Report) {
	const k, perSecond, warm = 10, 20, 60
	r = sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 2)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			if err := c.startAll(ctx, s, func(cfg *config) {
				cfg.K, cfg.Store, cfg.Mempool = k, sieve{cfg.Store.(*store.Memory), 4 * k}, mempool.Limits{HistoryMax: 256}
			}); err != nil {
				return err
			}
			s.Go("each", func(ctx context.Context) error {
				for _, err := range stm.Watch(ctx, c.nodes[0].Tip) {
					if err != nil {
						return err
					}
					sel, err := stm.Query(ctx, c.nodes[0].Selection)
					if err != nil {
						return err
					}
					each(sel)
				}
				return nil
			})
			versions := make([]uint64, 40)
			if err := c.churn(ctx, versions, warm, perSecond); err != nil {
				return err
			}
			before := heapBytes()
			if err := c.churn(ctx, versions, seconds, perSecond); err != nil {
				return err
			}
			bytes = heapBytes() - before
			return nil
		})
	})
	return bytes, r
}

// TestFlatMemory: once every bound is full, what nodes hold does not grow with the time they run.
func TestFlatMemory(t *testing.T) {
	const bound = 256 << 10
	seconds := long.N(150, 8_000)
	flat, r := grown(seconds, func(chainsel.Selection[state]) {})
	require.NoError(t, r.Err)
	t.Logf("%d bytes in %d seconds with a block and 20 writes each", flat, seconds)
	require.Less(t, flat, bound)
	var kept []state // planted: one state a block
	leak, r := grown(seconds, func(sel chainsel.Selection[state]) { kept = append(kept, sel.State) })
	require.NoError(t, r.Err)
	require.Greater(t, leak, bound, "%d states", len(kept))
}
