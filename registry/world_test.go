package registry_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

var errBoom = errors.New("boom")

// bothWorlds runs one program text in production and, with some seeds, in simulations.
func bothWorlds(t *testing.T, program func(ctx context.Context, t require.TestingT)) {
	t.Helper()
	t.Run("production", func(t *testing.T) { program(context.Background(), t) })
	t.Run("simulated", func(t *testing.T) {
		for seed := range uint64(20) {
			r := sim.Run(seed, func(ctx context.Context) error { return catch(func(t require.TestingT) { program(ctx, t) }) })
			require.NoError(t, r.Err, "seed %d", seed)
		}
	})
}

// catch turns failed requirements into an error: a simulated task is no goroutine of the test's.
func catch(f func(t require.TestingT)) (err error) {
	c := new(catcher)
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(*catcher); !ok {
				panic(r)
			}
			err = errors.New(c.text)
		}
	}()
	f(c)
	if c.text != "" {
		return errors.New(c.text)
	}
	return nil
}

type catcher struct{ text string }

func (c *catcher) Errorf(format string, args ...any) { c.text += fmt.Sprintf(format, args...) }
func (c *catcher) FailNow()                          { panic(c) }

// never waits for ctx.
func never(ctx context.Context) error {
	v := stm.NewVar(false).Label("never")
	return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
}

// program has producers with sleeps, a consumer with a timeout, a failing scope and cancellations of each kind.
func program(ctx context.Context, t require.TestingT) {
	q := stm.NewVar([]int(nil)).Label("queue")
	got, sum := 0, 0
	require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i := range 3 {
			s.Go(fmt.Sprintf("producer%d", i), func(ctx context.Context) error {
				for k := range 5 {
					if err := env.Sleep(ctx, time.Duration(i+1)*time.Millisecond); err != nil {
						return err
					}
					err := stm.Do(ctx, func(tx *stm.Tx) error {
						q.Update(tx, func(x []int) []int { return append(x[:len(x):len(x)], i*10+k) })
						return nil
					})
					if err != nil {
						return err
					}
				}
				return nil
			})
		}
		for got < 15 {
			timer := env.NewTimer(ctx, 500*time.Microsecond)
			x, err := stm.Query(ctx, func(tx *stm.Tx) int {
				x := q.Get(tx)
				if len(x) == 0 {
					tx.Check(timer.Fired(tx))
					return -1
				}
				q.Set(tx, x[1:])
				return x[0]
			})
			if err != nil {
				return err
			}
			if x >= 0 {
				got++
				sum += x
			}
		}
		return nil
	}))
	require.Equal(t, 180, sum)

	var order []string
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for _, n := range []string{"a", "b"} {
			_, err := registry.Acquire(s, n, func(context.Context) (string, error) { return n, nil },
				func(ctx context.Context, v string) error {
					order = append(order, v)
					return env.Sleep(ctx, time.Millisecond)
				})
			if err != nil {
				return err
			}
		}
		s.Go("sleeper", never)
		s.Go("failer", func(ctx context.Context) error {
			if err := env.Sleep(ctx, 2*time.Millisecond); err != nil {
				return err
			}
			return errBoom
		})
		return never(ctx)
	})
	require.ErrorIs(t, err, errBoom)
	require.Equal(t, "failer: boom", err.Error(), "echoes are no failures")
	require.Equal(t, []string{"b", "a"}, order)

	c2, cancel := env.WithCancelCause(ctx)
	require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		w := registry.Fork(s, "waiter", func(context.Context) (error, error) { return never(c2), nil })
		if err := env.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		cancel(errBoom)
		v, err := w.Wait(ctx)
		require.ErrorIs(t, v, errBoom)
		return err
	}))
}

func TestProgramInBothWorlds(t *testing.T) { bothWorlds(t, program) }

func TestSameTraceTwice(t *testing.T) {
	run := func(seed uint64) uint64 {
		r := sim.Run(seed, func(ctx context.Context) error {
			return catch(func(t require.TestingT) { program(ctx, t) })
		})
		require.NoError(t, r.Err)
		require.NotZero(t, r.Steps)
		return r.Hash
	}
	hashes := map[uint64]bool{}
	for seed := range uint64(20) {
		h := run(seed)
		require.Equal(t, h, run(seed))
		hashes[h] = true
	}
	require.Len(t, hashes, 20)
}
