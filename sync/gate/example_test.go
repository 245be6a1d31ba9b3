package gate_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/queue"
)

// A semaphore bounds how much is done at a time; here, how many bytes are in flight.
func ExampleSemaphore() {
	ctx := context.Background()
	flight := gate.NewSemaphore(64 << 10)
	err := flight.With(ctx, 48<<10, func(ctx context.Context) error {
		text, err := stm.Query(ctx, func(tx *stm.Tx) string {
			return fmt.Sprint(flight.TryAcquire(tx, 32<<10), " ", flight.Free(tx))
		})
		fmt.Println(text)
		return err
	})
	fmt.Println(err, flight.Acquire(ctx, 65<<10))
	// Output:
	// false 16384
	// <nil> gate: more than there will ever be
}

// What is published and the end of the lock are one moment.
func ExampleRWLock() {
	ctx := context.Background()
	l, published := gate.NewRWLock(), stm.NewVar("")
	_ = l.Lock(ctx)
	result := "made with the lock held" // in many steps
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		published.Set(tx, result)
		l.Unlock(tx)
		return nil
	})
	_ = l.WithRead(ctx, func(ctx context.Context) error {
		fmt.Println(published.Load(ctx))
		return nil
	})
	// Output: made with the lock held
}

// A log is read while it grows, but not while it is cut.
func ExampleRAWLock() {
	ctx := context.Background()
	l := gate.NewRAWLock()
	_ = l.With(ctx, gate.Append, func(ctx context.Context) error {
		var read, cut bool
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			read = l.TryAcquire(tx, gate.Read)
			l.Release(tx, gate.Read)
			cut = l.TryAcquire(tx, gate.Write)
			return nil
		})
		fmt.Println("read while it grows:", read)
		fmt.Println("cut while it grows:", cut)
		return err
	})
	// Output:
	// read while it grows: true
	// cut while it grows: false
}

func ExampleLatch() {
	ctx := context.Background()
	ready := gate.NewLatch(3)
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 3 {
			s.Go("node", func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { ready.CountDown(tx); return nil })
			})
		}
		return stm.Do(ctx, ready.Wait)
	})
	fmt.Println(stm.Query(ctx, ready.Left))
	// Output: 0 <nil>
}

func ExampleBarrier() {
	ctx := context.Background()
	round, b := stm.NewVar(0), gate.NewBarrier(3)
	_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 3 {
			s.Go("party", func(ctx context.Context) error {
				for range 4 {
					last, err := b.Await(ctx)
					if err != nil {
						return err
					}
					if last {
						_ = stm.Do(ctx, func(tx *stm.Tx) error { round.Set(tx, round.Get(tx)+1); return nil })
					}
				}
				return nil
			})
		}
		return nil
	})
	fmt.Println(round.Load(ctx))
	// Output: 4
}

// A burst passes at once, the rest at its rate; in a simulation that takes no time.
func ExampleLimiter() {
	r := sim.Run(1, func(ctx context.Context) error {
		l := gate.NewLimiter(time.Second, 3)
		for range 10 {
			if err := l.Wait(ctx, 1); err != nil {
				return err
			}
		}
		return nil
	})
	fmt.Println(r.Elapsed, r.Err)
	// Output: 7s <nil>
}

// Patience with a peer: each sign of progress fills the bucket, and what waits for progress also ends when it is empty.
func ExampleLeakyBucket() {
	r := sim.Run(1, func(ctx context.Context) error {
		patience, progress := gate.NewLeakyBucket(time.Second, 10), stm.NewVar(0)
		_ = stm.Do(ctx, func(tx *stm.Tx) error { patience.TopUp(tx, 10); return nil })
		return stm.Do(ctx, func(tx *stm.Tx) error {
			tx.Check(progress.Get(tx) > 0 || patience.Empty(tx))
			return nil
		})
	})
	fmt.Println(r.Elapsed, r.Err)
	// Output: 10s <nil>
}

// A queue that is bounded by the bytes of what it holds, besides their number: one transaction needs both. A value that
// is larger than all bytes needs all of them, and so comes alone.
func ExampleSemaphore_TryAcquire() {
	ctx := context.Background()
	const bytesMax = 10
	lines, room := queue.FIFO(8, queue.Wait[string]()), gate.NewSemaphore(bytesMax)
	weight := func(line string) int { return max(1, min(len(line), bytesMax)) }
	put := func(tx *stm.Tx, line string) error {
		if _, err := lines.Put(tx, line); err != nil {
			return err
		}
		if !room.TryAcquire(tx, weight(line)) {
			return stm.ErrRetry
		}
		return nil
	}
	take := func(tx *stm.Tx) (string, error) {
		line, err := lines.Take(tx)
		if err == nil {
			room.Release(tx, weight(line))
		}
		return line, err
	}
	_ = stm.Do(ctx, func(tx *stm.Tx) error { return put(tx, "six of ten") })
	fits, _ := stm.Query(ctx, func(tx *stm.Tx) bool { return room.Free(tx) > 0 })
	fmt.Println(fits)
	fmt.Println(stm.Atomically(ctx, take))
	// Output:
	// false
	// six of ten <nil>
}
