package queue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
	"github.com/synodkit/synod/sync/queue"
)

// inTx runs f in a transaction of its own.
func inTx(t *testing.T, f func(tx *stm.Tx)) {
	t.Helper()
	require.NoError(t, stm.Do(context.Background(), func(tx *stm.Tx) error { f(tx); return nil }))
}

// filler is a queue into which every Put goes through a place, so that the laws hold of reservations too.
type filler struct{ *queue.Queue[int] }

func (f filler) Put(tx *stm.Tx, v int) (lost prop.Lost[int], err error) {
	p, err := f.Reserve(tx)
	if err != nil {
		return lost, err
	}
	p.Fill(tx, v)
	p.Release(tx)
	return lost, nil
}

func TestReserveLaws(t *testing.T) {
	for name, make := range map[string]func() *queue.Queue[int]{
		"ring":  func() *queue.Queue[int] { return queue.FIFO(2, queue.Wait[int]()) },
		"stack": func() *queue.Queue[int] { return queue.LIFO(2, queue.Reject[int]()) },
		"tree":  func() *queue.Queue[int] { return queue.Priority(2, proptest.ByClass, queue.Wait[int]()) },
		"chain": func() *queue.Queue[int] { return queue.Unbounded[int](new(queue.Gauge)) },
	} {
		proptest.Run(t, proptest.Kit{Name: name, New: func(_ context.Context, n int) (prop.Sink[int], []proptest.Source) {
			q := make()
			return filler{q}, proptest.Same(n, q)
		}}, simulate, long.N(20, 2000))
	}
}

func TestReserve(t *testing.T) {
	full := map[string]queue.Full[int]{
		"wait": queue.Wait[int](), "reject": queue.Reject[int](), "newest": queue.DropNewest[int](),
		"oldest": queue.DropOldest[int](), "least": queue.EvictLeast(proptest.ByClass), "share": queue.FairShare(proptest.Class),
	}
	for name, full := range full {
		for _, q := range []*queue.Queue[int]{
			queue.FIFO(2, full), queue.LIFO(2, full), queue.Priority(2, proptest.ByClass, full),
		} {
			t.Run(fmt.Sprint(name, " ", q.Props().Order), func(t *testing.T) { reserve(t, q) })
		}
	}
}

// reserve takes both places of a queue and sees what everything does then.
func reserve(t *testing.T, q *queue.Queue[int]) {
	ctx := context.Background()
	a, err := stm.Atomically(ctx, q.Reserve)
	require.NoError(t, err)
	b, err := stm.Atomically(ctx, q.Reserve)
	require.NoError(t, err)
	waits := q.Props().Full == prop.Waits
	inTx(t, func(tx *stm.Tx) {
		_, err := stm.Select(tx, q.Reserve, func(*stm.Tx) (*queue.Place[int], error) { return nil, nil })
		if waits {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, prop.ErrFull)
		}
	})
	inTx(t, func(tx *stm.Tx) {
		lost, err := stm.Select(tx, func(tx *stm.Tx) (prop.Lost[int], error) { return q.Put(tx, 7) },
			func(*stm.Tx) (prop.Lost[int], error) { return prop.Lost[int]{Value: 7, Any: true}, nil })
		if q.Props().Full == prop.Rejects {
			require.ErrorIs(t, err, prop.ErrFull)
			return
		}
		require.NoError(t, err)
		require.Equal(t, prop.Lost[int]{Value: 7, Any: true}, lost, "what is reserved is never lost to somebody else")
	})
	inTx(t, func(tx *stm.Tx) {
		require.Zero(t, q.Len(tx))
		b.Fill(tx, 4)
		require.Equal(t, 1, q.Len(tx))
	})
	inTx(t, q.Close)
	got, err := stm.Atomically(ctx, q.Take)
	require.NoError(t, err)
	require.Equal(t, 4, got)
	inTx(t, func(tx *stm.Tx) {
		_, err := stm.Select(tx, q.Take, func(*stm.Tx) (int, error) { return -1, nil })
		require.NoError(t, err, "closed, but a place is still reserved: Take waits")
		a.Fill(tx, 8)
		require.Panics(t, func() { a.Fill(tx, 9) })
		a.Release(tx)
	})
	got, err = stm.Atomically(ctx, q.Take)
	require.NoError(t, err)
	require.Equal(t, 8, got)
	_, err = stm.Atomically(ctx, q.Take)
	require.ErrorIs(t, err, prop.ErrClosed)
	_, err = stm.Atomically(ctx, q.Reserve)
	require.ErrorIs(t, err, prop.ErrClosed)
}

// TestReserveTasks has tasks reserve, think, and fill or give back, while a queue of two is closed at some moment. Never
// are there more than two values and places, and what was filled is taken.
func TestReserveTasks(t *testing.T) {
	for seed := range uint64(long.N(200, 20000)) {
		q := queue.FIFO(2, queue.Wait[int]())
		filled, taken, held := 0, 0, stm.NewVar(0)
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				for range 4 {
					s.Go("producer", func(ctx context.Context) error {
						ok, err := produce(ctx, q, held)
						if ok {
							filled++
						}
						return err
					})
				}
				s.Go("consumer", func(ctx context.Context) error {
					for _, err := range prop.All(ctx, q) {
						if err != nil {
							return err
						}
						taken++
						if err := stm.Do(ctx, func(tx *stm.Tx) error { held.Update(tx, func(n int) int { return n - 1 }); return nil }); err != nil {
							return err
						}
					}
					return nil
				})
				if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "open", 4))); err != nil {
					return err
				}
				return stm.Do(ctx, func(tx *stm.Tx) error { q.Close(tx); return nil })
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
		require.Equal(t, filled, taken, "seed %d", seed)
	}
}

func produce(ctx context.Context, q *queue.Queue[int], held *stm.Var[int]) (filled bool, err error) {
	p, err := stm.Atomically(ctx, func(tx *stm.Tx) (*queue.Place[int], error) {
		p, err := q.Reserve(tx)
		if err == nil {
			held.Update(tx, func(n int) int { return n + 1 })
		}
		return p, err
	})
	if errors.Is(err, prop.ErrClosed) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if n := held.Load(ctx); n > 3 { // two, and one that the consumer has not counted yet
		return false, fmt.Errorf("%d values and places", n)
	}
	if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "think", 4))); err != nil {
		return false, err
	}
	if filled = env.Choose(ctx, "fill", 2) == 0; filled {
		return true, stm.Do(ctx, func(tx *stm.Tx) error { p.Fill(tx, 1); return nil })
	}
	return false, stm.Do(ctx, func(tx *stm.Tx) error {
		p.Release(tx)
		held.Update(tx, func(n int) int { return n - 1 })
		return nil
	})
}
