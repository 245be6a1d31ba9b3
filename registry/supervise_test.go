package registry_test

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// simulated runs f in virtual time.
func simulated(t *testing.T, f func(ctx context.Context, t require.TestingT)) {
	t.Helper()
	for seed := range uint64(5) {
		require.NoError(t, sim.Run(seed, func(ctx context.Context) error { return catch(func(t require.TestingT) { f(ctx, t) }) }).Err)
	}
}

func TestSuperviseBacksOffAndGivesUp(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		var starts []time.Duration
		from := env.Now(ctx)
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			registry.Supervise(s, "bad", registry.Restart{Max: 4, Window: time.Minute, BackoffMin: time.Second, BackoffMax: 4 * time.Second},
				func(ctx context.Context) error { starts = append(starts, env.Now(ctx).Sub(from)); return errBoom })
			return never(ctx)
		})
		var gaveUp *registry.RestartError
		require.ErrorAs(t, err, &gaveUp)
		require.ErrorIs(t, err, errBoom)
		require.Equal(t, 4, gaveUp.Restarts)
		require.Len(t, starts, 5)
		for i, most := range []time.Duration{1, 2, 4, 4} {
			wait := starts[i+1] - starts[i]
			require.GreaterOrEqual(t, wait, most*time.Second/2)
			require.LessOrEqual(t, wait, most*time.Second)
		}
	})
}

func TestSuperviseWindow(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		starts := 0
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			registry.Supervise(s, "rarely", registry.Restart{Max: 2, Window: time.Minute}, func(ctx context.Context) error {
				if starts++; starts == 20 {
					return nil
				}
				return errors.Join(env.Sleep(ctx, 40*time.Second), errBoom)
			})
			return env.Sleep(ctx, time.Hour)
		}), "failures that are rare enough go on")
		require.Equal(t, 20, starts)
	})
}

// The window moves on: after many rare failures too many at once end the daemon all the same.
func TestSuperviseWindowMoves(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		starts := 0
		var gaveUp *registry.RestartError
		require.ErrorAs(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			registry.Supervise(s, "rarely", registry.Restart{Max: 2, Window: time.Minute}, func(ctx context.Context) error {
				if starts++; starts > 10 {
					return errBoom
				}
				return cmp.Or(env.Sleep(ctx, 40*time.Second), errOther)
			})
			return env.Sleep(ctx, time.Hour)
		}), &gaveUp)
		require.Equal(t, 2, gaveUp.Restarts)
		require.ErrorIs(t, gaveUp, errBoom)
		require.Equal(t, 11, starts, "two restarts in a minute, and one more failure")
	})
}

// The wait doubles from run to run, until one has lasted longer than the longest wait.
func TestSuperviseRow(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		runs := []time.Duration{0, 0, 4 * time.Second, 4*time.Second + 1, 0}
		var waits []time.Duration
		var ended time.Time
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			registry.Supervise(s, "rows", registry.Restart{BackoffMin: time.Second, BackoffMax: 4 * time.Second}, func(ctx context.Context) error {
				if !ended.IsZero() {
					waits = append(waits, env.Now(ctx).Sub(ended))
				}
				if len(waits) == len(runs) {
					return nil
				}
				err := env.Sleep(ctx, runs[len(waits)])
				ended = env.Now(ctx)
				return errors.Join(err, errBoom)
			})
			return env.Sleep(ctx, time.Hour)
		}))
		require.Len(t, waits, len(runs))
		for i, most := range []time.Duration{1, 2, 4, 1, 2} {
			require.GreaterOrEqual(t, waits[i], most*time.Second/2, "wait %d", i)
			require.LessOrEqual(t, waits[i], most*time.Second, "wait %d", i)
		}
	})
}

func TestSupervisePermanentAndPanic(t *testing.T) {
	for name, f := range map[string]func(context.Context) error{
		"permanent": func(context.Context) error { return errOther },
		"panic":     func(context.Context) error { panic(errOther) },
	} {
		bothWorlds(t, func(ctx context.Context, t require.TestingT) {
			starts := 0
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				registry.Supervise(s, name, registry.Restart{Permanent: func(err error) bool { return errors.Is(err, errOther) }},
					func(ctx context.Context) error { starts++; return f(ctx) })
				return never(ctx)
			})
			require.ErrorIs(t, err, errOther)
			require.Equal(t, 1, starts)
		})
	}
}

func TestSuperviseIsStoppedInItsTurn(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			failed := stm.NewVar(false)
			registry.Supervise(s, "service", registry.Restart{}, never)
			registry.Supervise(s, "in backoff", registry.Restart{BackoffMin: time.Hour}, func(ctx context.Context) error {
				return errors.Join(stm.Do(ctx, func(tx *stm.Tx) error { failed.Set(tx, true); return nil }), errBoom)
			})
			if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(failed.Get(tx)); return nil }); err != nil {
				return err
			}
			return env.Sleep(ctx, time.Millisecond)
		}))
	})
}

func TestRestartIsChecked(t *testing.T) {
	for _, r := range []registry.Restart{{Max: -1}, {Window: -1}, {BackoffMin: -1}, {BackoffMax: -1}, {BackoffMin: 2, BackoffMax: 1}} {
		require.Panics(t, func() {
			_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				registry.Supervise(s, "x", r, never)
				return nil
			})
		})
	}
}
