package pebble

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// slow is a disk whose log syncs wait while it is held.
type slow struct {
	held   atomic.Bool
	inside *stm.Var[int] // syncs waiting
	free   chan struct{}
	syncs  atomic.Int32
}

func newSlow() *slow { return &slow{inside: stm.NewVar(0), free: make(chan struct{})} }

func (s *slow) fs() vfs.FS { return s.over(vfs.NewMem()) }

func (s *slow) over(disk vfs.FS) vfs.FS {
	return errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if isLog(op.Path) && (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) {
			s.syncs.Add(1)
			if s.held.Load() {
				_ = stm.Do(context.Background(), func(tx *stm.Tx) error { s.inside.Set(tx, s.inside.Get(tx)+1); return nil })
				<-s.free
			}
		}
		return nil
	}))
}

func (s *slow) waitInside(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(s.inside.Get(tx) > 0); return nil })
}

func (s *slow) release() { s.held.Store(false); close(s.free) }

// fill holds the disk and fills the queue: one batch being synced, two waiting.
func (s *slow) fill(ctx context.Context, t *testing.T, db *DB) (tickets []*store.Ticket) {
	s.held.Store(true)
	for i := range 3 {
		tk, err := db.Apply(ctx, put(fmt.Sprint("fill", i), ""), store.Durable)
		require.NoError(t, err)
		tickets = append(tickets, tk)
		if i == 0 {
			require.NoError(t, s.waitInside(ctx))
		}
	}
	return tickets
}

func TestFullQueueHoldsBack(t *testing.T) {
	disk := newSlow()
	require.NoError(t, with(home, Config{fs: disk.fs(), QueueMax: 2}, func(ctx context.Context, db *DB) error {
		tickets := disk.fill(ctx, t, db)
		for _, tk := range tickets {
			done, err := stm.Query(ctx, func(tx *stm.Tx) bool { _, done := tk.Done(tx); return done })
			require.NoError(t, err)
			require.False(t, done, "nothing is durable while the sync waits")
		}
		// The queue is full: a cancelled Apply returns, with the cause, and its batch has no effect.
		gaveUp := errors.New("gave up")
		cancelled, cancel := context.WithCancelCause(ctx)
		err := registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
			s.Go("cancelled", func(context.Context) error {
				_, err := db.Apply(cancelled, put("never", ""), store.Durable)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorIs(t, err, gaveUp)
				return nil
			})
			cancel(gaveUp)
			return nil
		})
		require.NoError(t, err)
		// A ticket abandoned by its waiter does not take the batch back.
		already, cancel := context.WithCancelCause(ctx)
		cancel(gaveUp)
		require.ErrorIs(t, tickets[2].Wait(already), context.Canceled)

		before := disk.syncs.Load()
		disk.release()
		for _, tk := range tickets {
			require.NoError(t, tk.Wait(ctx))
		}
		require.Equal(t, before+1, disk.syncs.Load(), "the two that waited shared one sync")
		_, err = db.Get([]byte("never"))
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = db.Get([]byte("fill2"))
		return err
	}))
}

// Closing while others apply: what was accepted is there, the others get ErrClosed, nobody hangs.
func TestCloseWhileOthersApply(t *testing.T) {
	fs, accepted := vfs.NewMem(), atomic.Int32{}
	require.NoError(t, with(home, Config{fs: fs, QueueMax: 2}, func(ctx context.Context, db *DB) error {
		return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
			for c := range 4 {
				s.Go(fmt.Sprint("applier", c), func(ctx context.Context) error {
					for i := 0; ; i++ {
						_, err := db.Apply(ctx, put(fmt.Sprint(c, "-", i), ""), store.Queued)
						if errors.Is(err, store.ErrClosed) {
							return nil
						}
						if err != nil {
							return err
						}
						if accepted.Add(1) == 50 {
							require.NoError(t, db.Close())
						}
					}
				})
				s.Go(fmt.Sprint("reader", c), func(context.Context) error {
					for {
						for _, err := range db.Scan(nil, nil) {
							if errors.Is(err, store.ErrClosed) {
								return nil
							}
							if err != nil {
								return err
							}
						}
					}
				})
			}
			return nil
		})
	}))
	require.NoError(t, with(home, Config{fs: fs}, func(_ context.Context, db *DB) error {
		n := int32(0)
		for _, err := range db.Scan(nil, nil) {
			require.NoError(t, err)
			n++
		}
		require.Equal(t, accepted.Load(), n)
		return nil
	}))
}

// A batch of the largest size passes even a queue of the smallest.
func TestLargestBatch(t *testing.T) {
	require.NoError(t, with(home, Config{fs: vfs.NewMem(), QueueBytesMax: store.BatchBytesMax, MemTableBytes: 1 << 20}, func(ctx context.Context, db *DB) error {
		b := new(store.Batch)
		b.Put([]byte("k"), make([]byte, store.BatchBytesMax-100))
		require.NoError(t, b.Err())
		for range 2 {
			tk, err := db.Apply(ctx, b, store.Durable)
			require.NoError(t, err)
			require.NoError(t, tk.Wait(ctx))
		}
		v, err := db.Get([]byte("k"))
		require.Len(t, v, store.BatchBytesMax-100)
		return err
	}))
}
