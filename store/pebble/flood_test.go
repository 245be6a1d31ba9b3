package pebble

import (
	"context"
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/store"
)

// TestRamp writes small batches until pebble has flushed. Its memory tables begin small and it flushes none before half of a full one is waiting: a writer that
// waits because there are many of them waits for ever.
func TestRamp(t *testing.T) {
	require.NoError(t, with(t.TempDir(), Config{MemTableBytes: 16 << 20}, func(ctx context.Context, db *DB) error {
		before := db.pebble.Metrics().Flush.Count
		var ticket *store.Ticket
		for i := uint64(0); db.pebble.Metrics().Flush.Count == before; i++ {
			for range 1000 {
				b := new(store.Batch)
				b.Put(binary.BigEndian.AppendUint64(nil, i), make([]byte, 200))
				i++
				var err error
				if ticket, err = db.Apply(ctx, b, store.Queued); err != nil {
					return err
				}
			}
			if err := ticket.Wait(ctx); err != nil {
				return err
			}
		}
		return nil
	}))
}
