package stm

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCancelWhileParked(t *testing.T) {
	v := NewVar(0)
	waits := map[string]func(ctx context.Context) error{
		"do": func(ctx context.Context) error {
			return Do(ctx, func(tx *Tx) error { tx.Check(v.Get(tx) > 0); return nil })
		},
		"query": func(ctx context.Context) error {
			_, err := Query(ctx, func(tx *Tx) int { v.Get(tx); return Retry[int](tx) })
			return err
		},
		"select": func(ctx context.Context) error {
			return Do(ctx, func(tx *Tx) error {
				_, err := Select(tx, func(tx *Tx) (int, error) { v.Get(tx); return 0, ErrRetry })
				return err
			})
		},
		"orelse": func(ctx context.Context) error {
			return Do(ctx, func(tx *Tx) error {
				OrElse(tx, func(tx *Tx) int { v.Get(tx); return Retry[int](tx) }, Retry[int])
				return nil
			})
		},
		"watch": func(ctx context.Context) error {
			for _, err := range Watch(ctx, v.Get) {
				if err != nil {
					return err
				}
			}
			return nil
		},
		"serial": func(ctx context.Context) error {
			runs, x := 0, NewVar(0)
			return Do(ctx, func(tx *Tx) error {
				n := x.Get(tx)
				if runs++; runs <= escalateAfter {
					_ = Do(bg, add(x, 1))
					x.Set(tx, n)
					return nil
				}
				v.Get(tx)
				return ErrRetry
			})
		},
	}
	for name, wait := range waits {
		ctx, cancel := context.WithCancelCause(bg)
		var wg sync.WaitGroup
		var err error
		wg.Go(func() { err = wait(ctx) })
		awaitWaiting(v, 1)
		cancel(errBoom)
		wg.Wait()
		require.ErrorIs(t, err, context.Canceled, name)
		require.ErrorIs(t, err, errBoom, name)
		require.ErrorContains(t, err, "context canceled: boom", name)
		requireQuiet(t, v)
	}
}

func TestCancelledBeforeIt(t *testing.T) {
	ctx, cancel := context.WithCancel(bg)
	cancel()
	v := NewVar(0)
	require.NoError(t, Do(ctx, add(v, 1)), "a transaction that can commit is not interrupted")
	err := Do(ctx, func(tx *Tx) error { v.Get(tx); return ErrRetry })
	require.Equal(t, context.Canceled, err, "without a cause of its own the error is ctx's")
	runs := 0
	err = Do(ctx, func(tx *Tx) error { runs++; x := v.Get(tx); provoke(t, v); v.Set(tx, x); return nil })
	require.ErrorIs(t, err, context.Canceled, "a rerun is interrupted")
	require.Equal(t, 1, runs)
	_, w, err := Poll(ctx, func(tx *Tx) int { runs++; x := v.Get(tx); provoke(t, v); v.Set(tx, x); return 0 })
	require.ErrorIs(t, err, context.Canceled)
	require.Nil(t, w)
	requireQuiet(t, v)
}

// 10,000 are parked; one cancel frees them all and leaves nothing registered.
func TestCancelStorm(t *testing.T) {
	const n = 10_000
	before := runtime.NumGoroutine()
	v, u := NewVar(0), NewVar(0)
	ctx, cancel := context.WithCancel(bg)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			err := Do(ctx, func(tx *Tx) error {
				if i%2 == 0 {
					u.Get(tx)
				}
				tx.Check(v.Get(tx) < 0)
				return nil
			})
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	awaitWaiting(v, n)
	require.LessOrEqual(t, runtime.NumGoroutine(), before+n, "no goroutine of the engine's own")
	cancel()
	wg.Wait()
	requireQuiet(t, v, u)
}

// Cancels, wake-ups and conflicts at random moments: whoever returns has either committed or an error, and nothing stays.
func TestCancelRaces(t *testing.T) {
	const tokens, workers, rounds = 4, 8, 1_500
	pool, held := NewVar(tokens), NewVar(0)
	var wg sync.WaitGroup
	for g := range workers {
		r := rand.New(rand.NewPCG(uint64(g), 1))
		wg.Go(func() {
			for range rounds {
				ctx, cancel := context.WithCancel(bg)
				after := r.IntN(20)
				var inner sync.WaitGroup
				inner.Go(func() {
					for range after {
						runtime.Gosched()
					}
					cancel()
				})
				err := Do(ctx, func(tx *Tx) error {
					tx.Check(pool.Get(tx) > 0)
					pool.Update(tx, func(n int) int { return n - 1 })
					held.Update(tx, func(n int) int { return n + 1 })
					return nil
				})
				if err == nil {
					runtime.Gosched()
					_ = Do(bg, func(tx *Tx) error {
						if p, h := pool.Get(tx), held.Get(tx); p+h != tokens || p < 0 {
							t.Errorf("%d + %d tokens", p, h)
						}
						pool.Update(tx, func(n int) int { return n + 1 })
						held.Update(tx, func(n int) int { return n - 1 })
						return nil
					})
				}
				inner.Wait()
			}
		})
	}
	wg.Wait()
	require.Equal(t, []int{tokens, 0}, []int{pool.Load(bg), held.Load(bg)})
	requireQuiet(t, pool, held)
}

// In a testing/synctest bubble waits block durably, also with Txs that were used outside it.
func TestSynctest(t *testing.T) {
	v := NewVar(0)
	set(t, v, 0)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		woke := NewVar(time.Duration(0))
		go func() {
			_ = Do(context.Background(), func(tx *Tx) error { tx.Check(v.Get(tx) > 0); return nil })
			_ = Do(context.Background(), func(tx *Tx) error { woke.Set(tx, time.Since(start)); return nil })
		}()
		<-time.NewTimer(time.Hour).C
		_ = Do(context.Background(), add(v, 1))
		synctest.Wait()
		require.Equal(t, time.Hour, woke.Load(bg))
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		require.ErrorIs(t, Do(ctx, func(tx *Tx) error { v.Get(tx); return ErrRetry }), context.DeadlineExceeded)
		require.Equal(t, time.Hour+time.Minute, time.Since(start))
	})
	requireQuiet(t, v)
}

func TestWakeAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, v := time.Now(), NewVar(0)
		runs := 0
		wait := func(ctx context.Context, d time.Duration) error {
			at := time.Now().Add(d)
			return Do(ctx, func(tx *Tx) error {
				runs++
				if v.Get(tx) > 0 || !tx.Now().Before(at) {
					return nil
				}
				tx.WakeAt(at.Add(time.Hour)) // the earliest counts
				return OrElse(tx, func(tx *Tx) error { tx.WakeAt(at); tx.Retry(); return nil },
					func(tx *Tx) error { return ErrRetry })
			})
		}
		require.NoError(t, wait(bg, time.Second))
		require.Equal(t, time.Second, time.Since(start))
		require.Equal(t, 2, runs)
		ctx, cancel := context.WithTimeout(bg, time.Second)
		defer cancel()
		require.ErrorIs(t, wait(ctx, time.Minute), context.DeadlineExceeded)
		go func() { <-time.NewTimer(time.Second).C; _ = Do(context.Background(), add(v, 1)) }()
		require.NoError(t, wait(bg, time.Minute))
		require.Equal(t, 3*time.Second, time.Since(start))

		at := time.Now().Add(time.Second)
		_, w, err := Poll(bg, func(tx *Tx) bool { tx.WakeAt(at); tx.Check(!tx.Now().Before(at)); return true })
		require.NoError(t, err)
		<-w.C()
		w.Stop()
		require.Equal(t, 4*time.Second, time.Since(start))
	})
}
