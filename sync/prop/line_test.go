package prop_test

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// lock is what the tests stand in line for.
type lock struct {
	free *stm.Var[bool]
	line *prop.Line
}

func newLock() lock { return lock{stm.NewVar(true), prop.NewLine("lock")} }

func (l lock) enter(ctx context.Context) error {
	_, err := prop.InLine(ctx, l.line, func(tx *stm.Tx) (bool, error) {
		if !l.free.Get(tx) {
			return false, stm.ErrRetry
		}
		l.free.Set(tx, false)
		return true, nil
	})
	return err
}

func (l lock) leave(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { l.free.Set(tx, true); return nil })
}

func (l lock) empty(ctx context.Context) bool {
	empty, _ := stm.Query(ctx, l.line.Empty)
	return empty
}

// TestLineLeft ends waiters in every way that a wait can end, in the middle of a line and at both of its ends, and sees
// that the line holds nobody afterwards and that those who stayed are served.
func TestLineLeft(t *testing.T) {
	boom := errors.New("boom")
	ways := map[string]func(ctx context.Context, l lock) error{
		"cancelled": func(ctx context.Context, l lock) error {
			soon, cancel := env.WithTimeout(ctx, 5)
			defer cancel()
			return l.enter(soon)
		},
		"cancelled before": func(ctx context.Context, l lock) error {
			ended, cancel := env.WithCancel(ctx)
			cancel()
			return l.enter(ended)
		},
		"error": func(ctx context.Context, l lock) error {
			_, err := prop.InLine(ctx, l.line, func(tx *stm.Tx) (bool, error) { return false, boom })
			return err
		},
		"panic": func(ctx context.Context, l lock) (err error) {
			defer func() { err, _ = recover().(error) }()
			_, err = prop.InLine(ctx, l.line, func(tx *stm.Tx) (bool, error) { panic(boom) })
			return err
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			for seed := range uint64(long.N(50, 5000)) {
				l, left := newLock(), 0
				r := sim.Run(seed, func(ctx context.Context) error {
					err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
						if err := l.enter(ctx); err != nil {
							return err
						}
						for i := range 6 {
							s.Go("waiter", func(ctx context.Context) error {
								if i%2 == 0 {
									if way(ctx, l) != nil {
										left++
									}
									return nil
								}
								if err := l.enter(ctx); err != nil {
									return err
								}
								return l.leave(ctx)
							})
						}
						if err := env.Sleep(ctx, 10); err != nil {
							return err
						}
						return l.leave(ctx)
					})
					if err == nil && !l.empty(ctx) {
						err = errors.New("somebody still stands in line")
					}
					return err
				})
				require.NoError(t, r.Err, "seed %d", seed)
				require.Equal(t, 3, left, "seed %d", seed)
			}
		})
	}
}

// TestLineGoexit leaves the line by the one way that is neither an error nor a panic.
func TestLineGoexit(t *testing.T) {
	ctx := context.Background()
	l := newLock()
	require.NoError(t, l.enter(ctx))
	tries := 0
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		s.Go("leaver", func(ctx context.Context) error {
			_, err := prop.InLine(ctx, l.line, func(tx *stm.Tx) (bool, error) {
				if tries++; tries > 1 {
					runtime.Goexit()
				}
				tx.Check(l.free.Get(tx))
				return true, nil
			})
			return err
		})
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!l.line.Empty(tx)); l.free.Set(tx, true); return nil })
	})
	require.ErrorIs(t, err, registry.ErrGoexit)
	require.True(t, l.empty(ctx))
}

// TestOneIsWoken counts how often a change runs the waiters: once, however many wait. Plain Retry runs them all.
func TestOneIsWoken(t *testing.T) {
	const waiters = 20
	runs := func(wait func(ctx context.Context, l lock, f func(tx *stm.Tx) (bool, error)) error) int {
		l, runs := newLock(), 0
		r := sim.Run(1, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				ctx, cancel := env.WithCancel(ctx)
				defer cancel()
				if err := l.enter(ctx); err != nil {
					return err
				}
				for range waiters {
					s.Go("waiter", func(context.Context) error {
						_ = wait(ctx, l, func(tx *stm.Tx) (bool, error) {
							runs++
							tx.Check(l.free.Get(tx))
							l.free.Set(tx, false)
							return true, nil
						})
						return nil
					})
				}
				if err := env.Sleep(ctx, 1); err != nil {
					return err
				}
				runs = 0
				if err := l.leave(ctx); err != nil {
					return err
				}
				return env.Sleep(ctx, 1)
			})
		})
		require.NoError(t, r.Err)
		return runs
	}
	inLine := runs(func(ctx context.Context, l lock, f func(tx *stm.Tx) (bool, error)) error {
		_, err := prop.InLine(ctx, l.line, f)
		return err
	})
	plain := runs(func(ctx context.Context, _ lock, f func(tx *stm.Tx) (bool, error)) error {
		_, err := stm.Atomically(ctx, f)
		return err
	})
	require.LessOrEqual(t, inLine, 3, "the first, and the second once it is first")
	require.GreaterOrEqual(t, plain, waiters)
}
