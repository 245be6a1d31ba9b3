package pebble

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store"
)

const benchBytes = 1 << 10 // of a value

// BenchmarkDurable writes 1 KiB values durably: to a raw file, one batch at a time, and many at once that share a sync. One op is one value.
func BenchmarkDurable(b *testing.B) {
	for _, n := range []int{1, 100} {
		b.Run(fmt.Sprintf("to=raw/group=%d", n), func(b *testing.B) { benchRaw(b, n) })
		b.Run(fmt.Sprintf("to=pebble/group=%d", n), func(b *testing.B) { benchGroup(b, n) })
	}
}

func benchRaw(b *testing.B, group int) {
	f, err := os.Create(b.TempDir() + "/raw")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	value := make([]byte, benchBytes)
	for i := 0; i < b.N; i += group {
		for range group {
			if _, err := f.Write(value); err != nil {
				b.Fatal(err)
			}
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
}

func benchGroup(b *testing.B, group int) {
	err := with(b.TempDir(), Config{}, func(ctx context.Context, db *DB) error {
		value, tickets := make([]byte, benchBytes), make([]*store.Ticket, group)
		b.ResetTimer()
		for i := 0; i < b.N; i += group {
			for j := range tickets {
				batch := new(store.Batch)
				batch.Put(binary.BigEndian.AppendUint64(nil, uint64(i+j)), value)
				var err error
				if tickets[j], err = db.Apply(ctx, batch, store.Durable); err != nil {
					return err
				}
			}
			for _, t := range tickets {
				if err := t.Wait(ctx); err != nil {
					return err
				}
			}
		}
		b.StopTimer()
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkGroupCommit has callers that each write a value of 1 KiB and wait until it is durable. One op is one value; batches/sync says how many callers
// shared a sync, which nobody has to ask for: it is what comes while the one before is under way.
func BenchmarkGroupCommit(b *testing.B) {
	for _, callers := range []int{1, 4, 16, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			disk := newSlow() // which here only counts
			err := with(b.TempDir(), Config{fs: disk.over(vfs.Default)}, func(ctx context.Context, db *DB) error {
				b.ResetTimer()
				begun := disk.syncs.Load()
				err := registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
					for c := range callers {
						s.Go("caller", func(ctx context.Context) error { return writeDurably(ctx, db, c, b.N/callers+1) })
					}
					return nil
				})
				b.StopTimer()
				n := callers * (b.N/callers + 1)
				b.ReportMetric(float64(n)/float64(max(1, disk.syncs.Load()-begun)), "batches/sync")
				return err
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
}

func writeDurably(ctx context.Context, db *DB, caller, n int) error {
	value := make([]byte, benchBytes)
	for i := range n {
		batch := new(store.Batch)
		batch.Put(fmt.Appendf(nil, "%d-%d", caller, i), value)
		t, err := db.Apply(ctx, batch, store.Durable)
		if err == nil {
			err = t.Wait(ctx)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
