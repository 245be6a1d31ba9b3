package gate_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
)

// way is how one enters something and leaves it.
type way struct {
	props prop.Props
	enter func(ctx context.Context) error
	leave func(tx *stm.Tx)
}

func ways() map[string]way {
	semaphore, whole := gate.NewSemaphore(1), gate.NewSemaphore(3)
	rw, raw, appends := gate.NewRWLock(), gate.NewRAWLock(), gate.NewRAWLock()
	limiter := gate.NewLimiter(time.Hour, 1)
	acquire := func(s *gate.Semaphore, n int) way {
		return way{s.Props(), func(ctx context.Context) error { return s.Acquire(ctx, n) }, func(tx *stm.Tx) { s.Release(tx, n) }}
	}
	mode := func(l *gate.RAWLock, m gate.Mode) way {
		return way{l.Props(), func(ctx context.Context) error { return l.Acquire(ctx, m) }, func(tx *stm.Tx) { l.Release(tx, m) }}
	}
	return map[string]way{
		"semaphore": acquire(semaphore, 1),
		"whole":     acquire(whole, 3),
		"rwlock":    {rw.Props(), rw.Lock, rw.Unlock},
		"write":     mode(raw, gate.Write),
		"append":    mode(appends, gate.Append),
		"limiter":   {limiter.Props(), func(ctx context.Context) error { return limiter.Wait(ctx, 1) }, func(*stm.Tx) {}},
	}
}

func do(ctx context.Context, f func(tx *stm.Tx)) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { f(tx); return nil })
}

// TestTurns checks the property Fair of everything that claims it.
func TestTurns(t *testing.T) {
	for seed := range uint64(long.N(100, 10_000)) {
		for name, w := range ways() {
			require.True(t, w.props.Fair)
			_, err := simulate(seed, func(ctx context.Context) error {
				return proptest.Turns(ctx, w.enter, func(ctx context.Context) error { return do(ctx, w.leave) })
			})
			require.NoError(t, err, "%s, seed %d", name, seed)
		}
	}
}

// flood has many tasks that always want one permit of four, each again as soon as it has given one back, and one task that
// wants all four. It reports how often the many were served before the one was.
func flood(seed uint64, acquire func(ctx context.Context, n int) error, release func(tx *stm.Tx, n int)) (before int, err error) {
	const rounds = 100
	served := false
	r := sim.Run(seed, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for i := range 6 {
				s.Go("little", func(ctx context.Context) error {
					if err := env.Sleep(ctx, time.Duration(i)); err != nil {
						return err
					}
					for range rounds {
						if err := acquire(ctx, 1); err != nil {
							return err
						}
						if !served {
							before++
						}
						if err := env.Sleep(ctx, time.Duration(3+env.Choose(ctx, "hold", 3))); err != nil {
							return err
						}
						if err := do(ctx, func(tx *stm.Tx) { release(tx, 1) }); err != nil {
							return err
						}
					}
					return nil
				})
			}
			s.Go("much", func(ctx context.Context) error {
				if err := env.Sleep(ctx, 10); err != nil {
					return err
				}
				before = 0
				if err := acquire(ctx, 4); err != nil {
					return err
				}
				served = true
				return do(ctx, func(tx *stm.Tx) { release(tx, 4) })
			})
			return nil
		})
	})
	return before, r.Err
}

// TestStarvation shows that plain retry lets a big request starve under a flood of small ones, and a Semaphore does not.
func TestStarvation(t *testing.T) {
	worst, best := 0, 1<<30
	for seed := range uint64(long.N(20, 500)) {
		s := gate.NewSemaphore(4)
		fair, err := flood(seed, s.Acquire, s.Release)
		require.NoError(t, err)
		worst = max(worst, fair)

		free := stm.NewVar(4)
		plain, err := flood(seed, func(ctx context.Context, n int) error {
			return stm.Do(ctx, func(tx *stm.Tx) error {
				tx.Check(free.Get(tx) >= n)
				free.Set(tx, free.Get(tx)-n)
				return nil
			})
		}, func(tx *stm.Tx, n int) { free.Set(tx, free.Get(tx)+n) })
		require.NoError(t, err)
		best = min(best, plain)
	}
	t.Logf("served before the big request: at most %d by a semaphore, at least %d by plain retry, of 600", worst, best)
	require.LessOrEqual(t, worst, 6, "those who came before it")
	require.Greater(t, best, 400)
}

// TestTryDoesNotOvertake tries while somebody waits for more than there is.
func TestTryDoesNotOvertake(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
			s, l, lim := gate.NewSemaphore(2), gate.NewRWLock(), gate.NewLimiter(time.Minute, 2)
			if err := do(ctx, func(tx *stm.Tx) {
				require.True(t, s.TryAcquire(tx, 1))
				require.True(t, l.TryRLock(tx))
				require.True(t, lim.Allow(tx, 1))
				require.False(t, s.TryAcquire(tx, 2))
				require.False(t, l.TryLock(tx))
				require.False(t, lim.Allow(tx, 2))
			}); err != nil {
				return err
			}
			scope.Go("semaphore", func(ctx context.Context) error { return s.Acquire(ctx, 2) })
			scope.Go("lock", l.Lock)
			scope.Go("limiter", func(ctx context.Context) error { return lim.Wait(ctx, 2) })
			if err := env.Sleep(ctx, time.Second); err != nil {
				return err
			}
			return do(ctx, func(tx *stm.Tx) {
				require.Equal(t, 1, s.Free(tx))
				require.Equal(t, 1, lim.Tokens(tx))
				require.False(t, s.TryAcquire(tx, 1))
				require.False(t, l.TryRLock(tx))
				require.False(t, lim.Allow(tx, 1))
				s.Release(tx, 1)
				l.RUnlock(tx)
			})
		})
	})
	require.NoError(t, r.Err)
}

// TestNobodyStarves floods semaphore, lock and limiter on real goroutines until the one who wants most has been served.
// It would not end if that never happened.
func TestNobodyStarves(t *testing.T) {
	ctx := context.Background()
	s, l, lim := gate.NewSemaphore(4), gate.NewRWLock(), gate.NewLimiter(time.Microsecond, 4)
	for name, c := range map[string]struct {
		little, much func(ctx context.Context) error
	}{
		"semaphore": {
			func(ctx context.Context) error { return s.With(ctx, 1, nothing) },
			func(ctx context.Context) error { return s.With(ctx, 4, nothing) },
		},
		"lock": {
			func(ctx context.Context) error { return l.WithRead(ctx, nothing) },
			func(ctx context.Context) error { return l.With(ctx, nothing) },
		},
		"limiter": {
			func(ctx context.Context) error { return lim.Wait(ctx, 1) },
			func(ctx context.Context) error { return lim.Wait(ctx, 4) },
		},
	} {
		served := stm.NewVar(false)
		err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
			for range 8 {
				scope.Go("little", func(ctx context.Context) error {
					for !served.Load(ctx) {
						if err := c.little(ctx); err != nil {
							return err
						}
					}
					return nil
				})
			}
			for range 20 {
				if err := c.much(ctx); err != nil {
					return err
				}
			}
			return do(ctx, func(tx *stm.Tx) { served.Set(tx, true) })
		})
		require.NoError(t, err, name)
	}
}

func nothing(context.Context) error { return nil }
