package sim_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

var errBoom = errors.New("boom")

func sleep(ctx context.Context, d time.Duration) error {
	at := seam.Now(seam.From(ctx)).Add(d)
	return stm.Do(ctx, func(tx *stm.Tx) error {
		if tx.Now().Before(at) {
			tx.WakeAt(at)
			return stm.ErrRetry
		}
		return nil
	})
}

func inc(v *stm.Var[int]) func(tx *stm.Tx) error {
	return func(tx *stm.Tx) error { v.Update(tx, func(n int) int { return n + 1 }); return nil }
}

func positive(v *stm.Var[int]) func(tx *stm.Tx) error {
	return func(tx *stm.Tx) error { tx.Check(v.Get(tx) > 0); return nil }
}

// program has a bit of everything: producers that sleep, a consumer with timeouts, a watcher, a named choice, a timer,
// a cancellation with a cause through a context of the standard library, and a deadline.
func program(ctx context.Context) error {
	w := seam.From(ctx)
	queue := stm.NewVar([]int(nil)).Label("queue")
	never, sum, rung := stm.NewVar(0).Label("never"), stm.NewVar(0).Label("sum"), stm.NewVar(0).Label("rung")
	var joins []func()
	for i := range 3 {
		joins = append(joins, w.Spawn(fmt.Sprint("producer", i), func() {
			for k := range 5 {
				_ = sleep(ctx, time.Duration(10*(i+1))*time.Millisecond)
				_ = stm.Do(ctx, func(tx *stm.Tx) error {
					queue.Update(tx, func(x []int) []int { return append(x[:len(x):len(x)], i*10+k) })
					return nil
				})
			}
		}))
	}
	w.After(25*time.Millisecond, func() { _ = stm.Do(ctx, inc(rung)) })
	joins = append(joins, w.Spawn("watcher", func() {
		for n, err := range stm.Watch(ctx, sum.Get) {
			if err != nil || n == 180 {
				return
			}
		}
	}))
	for got := 0; got < 15; {
		n, err := consume(ctx, w, queue, sum)
		if err != nil {
			return err
		}
		got += n
		w.Choose("rest", 3)
	}
	if err := cancelled(ctx, w, never); err != nil {
		return err
	}
	for _, j := range joins {
		j()
	}
	return stm.Do(ctx, positive(rung))
}

// consume takes one item, or none within 4 ms.
func consume(ctx context.Context, w seam.World, queue *stm.Var[[]int], sum *stm.Var[int]) (int, error) {
	limit := w.Now().Add(4 * time.Millisecond)
	return stm.Atomically(ctx, func(tx *stm.Tx) (int, error) {
		return stm.Select(tx, func(tx *stm.Tx) (int, error) {
			x := queue.Get(tx)
			if len(x) == 0 {
				return 0, stm.ErrRetry
			}
			queue.Set(tx, x[1:])
			return 1, stm.Try(tx, func(tx *stm.Tx) error { sum.Update(tx, func(n int) int { return n + x[0] }); return nil })
		}, func(tx *stm.Tx) (int, error) {
			if tx.Now().Before(limit) {
				tx.WakeAt(limit)
				tx.Retry()
			}
			return 0, nil
		})
	})
}

func cancelled(ctx context.Context, w seam.World, never *stm.Var[int]) error {
	std, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var err error
	join := w.Spawn("waiter", func() { err = stm.Do(std, positive(never)) })
	if err := sleep(ctx, 3*time.Millisecond); err != nil {
		return err
	}
	cancel(errBoom)
	join()
	if !errors.Is(err, errBoom) || !errors.Is(err, context.Canceled) {
		return fmt.Errorf("cancelled: %w", err)
	}
	short, stop := seam.WithTimeout(ctx, 7*time.Millisecond)
	defer stop()
	if err := stm.Do(short, positive(never)); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("deadline: %w", err)
	}
	return nil
}
