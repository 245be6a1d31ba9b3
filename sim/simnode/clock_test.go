package simnode_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnode"
	"github.com/synodkit/synod/stm"
)

// on runs f on a node with that clock, and gives the virtual time it took.
func on(t require.TestingT, c simnode.Clock, f func(ctx context.Context) error) time.Duration {
	var took time.Duration
	r := sim.Run(1, func(ctx context.Context) error {
		start := env.Now(ctx)
		n := simnode.New(ctx, "n", c)
		err := errors.Join(n.Start(ctx, f), n.Wait(ctx))
		took = env.Now(ctx).Sub(start)
		return err
	})
	require.NoError(t, r.Err)
	return took
}

func timeout(ctx context.Context, d time.Duration) error {
	short, cancel := env.WithTimeout(ctx, d)
	defer cancel()
	if err := env.Sleep(short, 1000*d); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// Whatever waits for time waits by the node's own clock.
func TestClocks(t *testing.T) {
	waits := map[string]func(ctx context.Context, d time.Duration) error{
		"sleep":   env.Sleep,
		"timeout": timeout,
		"timer": func(ctx context.Context, d time.Duration) error {
			timer := env.NewTimer(ctx, d)
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(timer.Fired(tx)); return nil })
		},
	}
	for name, wait := range waits {
		for _, c := range []struct {
			clock simnode.Clock
			took  time.Duration
		}{
			{simnode.Clock{}, 110 * time.Second},
			{simnode.Clock{Skew: time.Hour}, 110 * time.Second},
			{simnode.Clock{Skew: -time.Hour}, 110 * time.Second},
			{simnode.Clock{DriftPPM: 100_000}, 100 * time.Second},
			{simnode.Clock{DriftPPM: -100_000, Skew: time.Minute}, 110 * time.Second * 10 / 9},
		} {
			took := on(t, c.clock, func(ctx context.Context) error {
				start := env.Now(ctx)
				if err := wait(ctx, 110*time.Second); err != nil {
					return err
				}
				if d := env.Now(ctx).Sub(start); d < 110*time.Second || d > 110*time.Second+2 {
					return fmt.Errorf("took %v by its own clock", d)
				}
				return nil
			})
			require.InDelta(t, c.took, took, 2, "%s %+v", name, c.clock)
		}
	}
}

// A wait ends at the first virtual instant at which the node's clock has come so far, not before.
func TestWaitsEndInTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := simnode.Clock{
			Skew:     time.Duration(rapid.Int64Range(-1e12, 1e12).Draw(t, "skew")),
			DriftPPM: rapid.Int64Range(-100_000, 100_000).Draw(t, "drift"),
		}
		var waits []time.Duration
		for range 5 {
			waits = append(waits, time.Duration(rapid.Int64Range(0, 1e13).Draw(t, "wait"))>>rapid.IntRange(0, 40).Draw(t, "scale"))
		}
		on(t, c, func(ctx context.Context) error {
			for _, d := range waits {
				start := env.Now(ctx)
				if err := env.Sleep(ctx, d); err != nil {
					return err
				}
				if took := env.Now(ctx).Sub(start); took < d || took > d+2 {
					return fmt.Errorf("%v instead of %v", took, d)
				}
			}
			return nil
		})
	})
}

func TestTooMuchDriftPanics(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error { simnode.New(ctx, "n", simnode.Clock{DriftPPM: 100_001}); return nil })
	require.ErrorContains(t, r.Err, "drift")
}

// What a node draws depends on the seed and its name alone.
func TestChanceOfANodeIsItsOwn(t *testing.T) {
	drawn := func(seed uint64, name string, others, faults int) (got []int) {
		r := sim.Run(seed, func(ctx context.Context) error {
			n, m := simnode.New(ctx, name, simnode.Clock{}), simnode.New(ctx, "other", simnode.Clock{})
			err := m.Start(ctx, func(ctx context.Context) error {
				for range others {
					env.Rand(ctx).Uint64()
					_ = env.Sleep(ctx, time.Millisecond)
				}
				return nil
			})
			draw := func(ctx context.Context) error {
				for range 5 {
					for range faults {
						_ = env.Fault(ctx, "disk")
					}
					got = append(got, env.Rand(ctx).IntN(1000))
					if err := env.Sleep(ctx, time.Millisecond); err != nil {
						return err
					}
				}
				return nil
			}
			for range 2 { // the stream goes on over a restart
				env.Rand(ctx).Uint64() // the workload's
				err = errors.Join(err, n.Start(ctx, draw), n.Wait(ctx))
			}
			return errors.Join(err, m.Crash(ctx))
		}, sim.Fail("disk", errors.New("disk"), 0.5))
		require.NoError(t, r.Err)
		return got
	}
	want := drawn(1, "n", 0, 0)
	require.NotEqual(t, want[:5], want[5:])
	require.Equal(t, want, drawn(1, "n", 7, 0))
	require.Equal(t, want, drawn(1, "n", 0, 3))
	require.NotEqual(t, want, drawn(2, "n", 0, 0))
	require.NotEqual(t, want, drawn(1, "m", 0, 0))
}
