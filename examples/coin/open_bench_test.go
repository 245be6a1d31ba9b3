package coin

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store/pebble"
)

// BenchmarkOpen is a start from disk: K = 2160, 100 accounts, one transfer a block, no proofs of headers; beside it the same without a codec, which
// applies the whole chain. The store is open already.
func BenchmarkOpen(b *testing.B) {
	for _, blocks := range []int{10_000, 100_000} {
		funds := make([]uint64, 100)
		for i := range funds {
			funds[i] = 1 << 40
		}
		l, initial := ledgerOf(b, funds...)
		dir := b.TempDir()
		on := func(codec bool, f func(ctx context.Context, open func(*registry.Scope) (*chainsel.Chain[State], error)) error) {
			require.NoError(b, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				db, err := pebble.Open(s, dir, pebble.Config{})
				if err != nil {
					return err
				}
				l := l.Forgetful()
				cfg := chainsel.Config[State]{Genesis: chain.Tip{Point: chain.Point{Hash: l.genesis}}, Initial: initial, K: 2160, Ledger: l, Store: db}
				if codec {
					cfg.Encode, cfg.Decode = EncodeState, l.DecodeState
				}
				return f(ctx, func(s *registry.Scope) (*chainsel.Chain[State], error) { return chainsel.Open(ctx, s, cfg) })
			}))
		}
		built := false
		build := func() {
			built = true
			on(true, func(ctx context.Context, open func(*registry.Scope) (*chainsel.Chain[State], error)) error {
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					c, err := open(s)
					if err != nil {
						return err
					}
					var last *chainsel.Added
					chained(b, l, initial, len(funds), blocks, 1, func(x chain.Block, _ State) {
						last, err = c.AddBlock(ctx, x)
						require.NoError(b, err)
					})
					if _, err := last.Wait(ctx); err != nil {
						return err
					}
					return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(int(c.Snapshot(tx).BlockNo) > blocks-2160-1100); return nil })
				})
			})
		}
		for _, codec := range []bool{true, false} {
			b.Run(fmt.Sprintf("blocks=%d/snapshots=%v", blocks, codec), func(b *testing.B) {
				if !built {
					build()
				}
				b.ResetTimer()
				for range b.N {
					b.StopTimer()
					on(codec, func(ctx context.Context, open func(*registry.Scope) (*chainsel.Chain[State], error)) error {
						b.StartTimer()
						err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { _, err := open(s); return err })
						b.StopTimer()
						return err
					})
					b.StartTimer()
				}
			})
		}
	}
}
