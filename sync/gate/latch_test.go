package gate_test

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
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// checkLatch has five tasks count a latch of three down, and four that wait look whether it was open too early.
func checkLatch(ctx context.Context, wait func(l *gate.Latch, tx *stm.Tx) error) error {
	l := gate.NewLatch(3)
	down := stm.NewVar(0)
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 4 {
			s.Go("waiter", func(ctx context.Context) error {
				if err := stm.Do(ctx, func(tx *stm.Tx) error { return wait(l, tx) }); err != nil {
					return err
				}
				if n := down.Load(ctx); n < 3 {
					return fmt.Errorf("open after %d", n)
				}
				return nil
			})
		}
		for range 5 {
			s.Go("counter", func(ctx context.Context) error {
				return do(ctx, func(tx *stm.Tx) { l.CountDown(tx); down.Set(tx, down.Get(tx)+1) })
			})
		}
		return nil
	})
}

func TestLatch(t *testing.T) {
	planted := 0
	for seed := range uint64(long.N(100, 10_000)) {
		_, err := simulate(seed, func(ctx context.Context) error { return checkLatch(ctx, (*gate.Latch).Wait) })
		require.NoError(t, err, "seed %d", seed)
		if _, err := simulate(seed, func(ctx context.Context) error {
			return checkLatch(ctx, func(l *gate.Latch, tx *stm.Tx) error { tx.Check(l.Left(tx) <= 1); return nil }) // one too early
		}); err != nil {
			planted++
		}
	}
	require.NotZero(t, planted, "the planted bug")
	require.NoError(t, stm.Do(context.Background(), gate.NewLatch(0).Wait), "open from the start")
}

// meet has more tasks than a barrier needs, some of which give up, and looks whether rounds are whole: nobody goes on
// before a round is full, each round has one last, and those who gave up were not counted.
func meet(ctx context.Context, await func(ctx context.Context, b *gate.Barrier) (bool, error)) error {
	const parties = 3
	b := gate.NewBarrier(parties)
	passed, lasts := stm.NewVar(0), stm.NewVar(0)
	count := func(v *stm.Var[int]) error { return do(ctx, func(tx *stm.Tx) { v.Set(tx, v.Get(tx)+1) }) }
	visit := func(ctx context.Context) error {
		soon, cancel := env.WithTimeout(ctx, time.Duration(env.Choose(ctx, "patience", 6)))
		defer cancel()
		last, err := await(soon, b)
		switch {
		case errors.Is(err, context.DeadlineExceeded):
			return ctx.Err()
		case err != nil:
			return err
		case last:
			if err := count(lasts); err != nil {
				return err
			}
		}
		return count(passed)
	}
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 5 {
			s.Go("party", func(ctx context.Context) error {
				for range 4 {
					if err := visit(ctx); err != nil {
						return err
					}
					if err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "way", 3))); err != nil {
						return err
					}
				}
				return nil
			})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if p, l := passed.Load(ctx), lasts.Load(ctx); p != parties*l {
		return fmt.Errorf("%d have passed, in %d rounds", p, l)
	}
	if n, _ := stm.Query(ctx, b.Arrived); n != 0 {
		return fmt.Errorf("%d are counted that have given up", n)
	}
	return nil
}

func TestBarrier(t *testing.T) {
	full, planted := 0, 0
	for seed := range uint64(long.N(300, 30_000)) {
		_, err := simulate(seed, func(ctx context.Context) error {
			return meet(ctx, func(ctx context.Context, b *gate.Barrier) (bool, error) {
				last, err := b.Await(ctx)
				if last {
					full++
				}
				return last, err
			})
		})
		require.NoError(t, err, "seed %d", seed)
		if _, err := simulate(seed, func(ctx context.Context) error {
			return meet(ctx, func(ctx context.Context, b *gate.Barrier) (bool, error) {
				last, err := b.Await(ctx)
				if err == nil && ctx.Err() != nil {
					err = context.DeadlineExceeded // what has happened is denied
				}
				return last, err
			})
		}); err != nil {
			planted++
		}
	}
	require.NotZero(t, full)
	require.NotZero(t, planted, "the planted bug")
	for range long.N(20, 1000) {
		require.NoError(t, meet(context.Background(), func(ctx context.Context, b *gate.Barrier) (bool, error) { return b.Await(ctx) }))
	}
}
