package sim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// Contexts of ours over the standard library's over ours: causes arrive everywhere, context.WithoutCancel keeps them
// away.
func TestMixedContexts(t *testing.T) {
	for seed := range uint64(200) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w := seam.From(ctx)
			a, cancelA := context.WithCancelCause(ctx)
			b, stopB := seam.WithTimeout(a, time.Second)
			c, cancelC := context.WithCancel(b)
			d := context.WithValue(context.WithoutCancel(c), foreign{}, 1)
			e, _ := seam.WithCancel(c)
			f, cancelF := context.WithCancel(d)
			g, _ := seam.WithCancel(f)
			defer stopB()
			defer cancelC()
			defer cancelF()
			v := stm.NewVar(0)
			errs, joins := make([]error, 7), []func(){}
			for i, x := range []context.Context{a, b, c, e, d, f, g} {
				joins = append(joins, w.Spawn(fmt.Sprint("w", i), func() { errs[i] = stm.Do(x, positive(v)) }))
			}
			_ = sleep(ctx, time.Millisecond)
			cancelA(errBoom)
			for i, j := range joins[:4] {
				if j(); !errors.Is(errs[i], errBoom) || !errors.Is(errs[i], context.Canceled) {
					return fmt.Errorf("%d: %w", i, errs[i])
				}
			}
			_ = stm.Do(ctx, inc(v))
			for i, j := range joins[4:] {
				if j(); errs[4+i] != nil {
					return fmt.Errorf("%d: %w", 4+i, errs[4+i])
				}
			}
			return nil
		})
		require.NoError(t, r.Err)
	}
}

func TestDeadlineReachesStandardChildren(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		start := seam.From(ctx).Now()
		b, stop := seam.WithTimeout(ctx, time.Second)
		defer stop()
		c, cancel := context.WithCancel(b)
		defer cancel()
		require.ErrorIs(t, stm.Do(c, positive(stm.NewVar(0))), context.DeadlineExceeded)
		require.Equal(t, context.DeadlineExceeded, c.Err())
		require.Equal(t, context.DeadlineExceeded, context.Cause(c))
		require.Equal(t, time.Second, seam.From(ctx).Now().Sub(start))
		return nil
	})
	require.NoError(t, r.Err)
	require.Equal(t, time.Second, r.Elapsed)
}

// AfterFunc runs in order of registration, in the canceller's step, and not at all once stopped.
func TestAfterFunc(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		c, cancel := seam.WithCancel(ctx)
		order := ""
		for i := range 4 {
			stop := seam.AfterFunc(c, func() { order += fmt.Sprint(i) })
			if i == 2 {
				require.True(t, stop())
				require.False(t, stop())
			}
		}
		child, _ := seam.WithCancel(c)
		seam.AfterFunc(child, func() { order += "child" })
		cancel(errBoom)
		cancel(nil)
		require.Equal(t, "013child", order)
		require.Equal(t, errBoom, context.Cause(child))
		ran := false
		stop := seam.AfterFunc(c, func() { ran = true })
		require.True(t, ran, "of a done context: at once")
		require.False(t, stop())
		std, cancelStd := context.WithCancel(ctx)
		n := stm.NewVar(0)
		seam.AfterFunc(std, func() { _ = stm.Do(ctx, inc(n)) })
		cancelStd()
		return stm.Do(ctx, positive(n)) // polled: found after a step
	})
	require.NoError(t, r.Err)
}

// A cancel and a commit race for a parked transaction: both outcomes occur, through our contexts and standard ones.
func TestCancelRacesWithCommit(t *testing.T) {
	for _, std := range []bool{false, true} {
		outcomes := map[bool]int{}
		for seed := range uint64(100) {
			r := sim.Run(seed, func(ctx context.Context) error {
				w, v := seam.From(ctx), stm.NewVar(0)
				c, cancelOurs := seam.WithCancel(ctx)
				cancel := func() { cancelOurs(nil) }
				if std {
					c, cancel = context.WithCancel(ctx)
				}
				var err error
				joins := []func(){
					w.Spawn("waiter", func() { err = stm.Do(c, positive(v)) }),
					w.Spawn("writer", func() { _ = stm.Do(ctx, inc(v)) }),
					w.Spawn("canceller", func() { _ = stm.Do(ctx, inc(stm.NewVar(0))); cancel() }),
				}
				for _, j := range joins {
					j()
				}
				outcomes[err == nil]++
				return nil
			})
			require.NoError(t, r.Err)
		}
		require.Len(t, outcomes, 2, "std %v", std)
	}
}
