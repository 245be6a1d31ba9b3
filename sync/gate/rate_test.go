package gate_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// naive is a bucket that counts nanoseconds' worth of tokens.
type naive struct {
	every, credit, limit time.Duration
}

func (n *naive) pass(d time.Duration) { n.credit = min(n.credit+d, n.limit) }

func (n *naive) take(tokens int) bool {
	cost := time.Duration(tokens) * n.every
	if cost > n.credit {
		return false
	}
	n.credit -= cost
	return true
}

// TestLimiterModel compares a limiter with a count of tokens, in virtual time.
func TestLimiterModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		every := time.Duration(rapid.IntRange(1, 50).Draw(rt, "every"))
		burst := rapid.IntRange(1, 6).Draw(rt, "burst")
		ops := rapid.SliceOfN(rapid.IntRange(0, 299), 0, 60).Draw(rt, "ops")
		r := sim.Run(1, func(ctx context.Context) error {
			l := gate.NewLimiter(every, burst)
			m := naive{every, time.Duration(burst) * every, time.Duration(burst) * every}
			for i, o := range ops {
				n := 1 + o%burst
				var err error
				switch {
				case o < 100:
					m.pass(time.Duration(o))
					err = env.Sleep(ctx, time.Duration(o))
				case o < 250:
					err = stm.Do(ctx, func(tx *stm.Tx) error {
						if want, got := int(m.credit/every), l.Tokens(tx); got != want {
							return fmt.Errorf("step %d: %d tokens, not %d", i, got, want)
						}
						if got, want := l.Allow(tx, n), m.take(n); got != want {
							return fmt.Errorf("step %d: allowed %v, not %v", i, got, want)
						}
						return nil
					})
				case o < 275:
					before := env.Now(ctx)
					err = l.Wait(ctx, n)
					waited := env.Now(ctx).Sub(before)
					if want := max(time.Duration(n)*every-m.credit, 0); err == nil && waited != want {
						err = fmt.Errorf("step %d: waited %v, not %v", i, waited, want)
					}
					m.pass(waited)
					m.take(n)
				default:
					m.pass(time.Duration(n) * every)
					err = do(ctx, func(tx *stm.Tx) { l.Return(tx, n) })
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		require.NoError(rt, r.Err)
	})
}

// limitedTasks has tasks wait and give up, and looks at every window of time: never more have passed than a burst and what has come since; and tokens
// that nobody took are not lost with those who gave up.
func limitedTasks(ctx context.Context, l *gate.Limiter, wait func(ctx context.Context, n int) error) error {
	var passed []time.Duration
	start := env.Now(ctx)
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for range 5 {
			s.Go("caller", func(ctx context.Context) error {
				for range 5 {
					n := 1 + env.Choose(ctx, "tokens", tasksBurst)
					soon, cancel := env.WithTimeout(ctx, time.Duration(env.Choose(ctx, "patience", 60)))
					err := wait(soon, n)
					cancel()
					if err == nil {
						for range n {
							passed = append(passed, env.Now(ctx).Sub(start))
						}
					} else if !errors.Is(err, context.DeadlineExceeded) {
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
	for i := range passed {
		for j := i; j < len(passed); j++ {
			if most := tasksBurst + int((passed[j]-passed[i])/tasksEvery); j-i+1 > most {
				return fmt.Errorf("%d tokens in %v", j-i+1, passed[j]-passed[i])
			}
		}
	}
	if err := env.Sleep(ctx, tasksEvery*tasksBurst); err != nil {
		return err
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		if !l.Allow(tx, tasksBurst) {
			return errors.New("tokens are lost")
		}
		return nil
	})
}

const tasksEvery, tasksBurst = 10, 3

// TestLimiterTasks runs them on a limiter, and on one that lets a burst too many pass.
func TestLimiterTasks(t *testing.T) {
	generous := 0
	for seed := range uint64(long.N(200, 20_000)) {
		_, err := simulate(seed, func(ctx context.Context) error {
			l := gate.NewLimiter(tasksEvery, tasksBurst)
			return limitedTasks(ctx, l, l.Wait)
		})
		require.NoError(t, err, "seed %d", seed)
		if _, err := simulate(seed, func(ctx context.Context) error {
			l := gate.NewLimiter(tasksEvery, 2*tasksBurst)
			return limitedTasks(ctx, l, l.Wait)
		}); err != nil {
			generous++
		}
	}
	require.NotZero(t, generous)
}

// TestBucketFinds has a bucket that leaks at another rate than it says.
func TestBucketFinds(t *testing.T) {
	_, err := simulate(1, func(ctx context.Context) error {
		b := gate.NewLeakyBucket(3, 4)
		if err := do(ctx, func(tx *stm.Tx) { b.TopUp(tx, 4) }); err != nil {
			return err
		}
		return drains(ctx, b, 4*2)
	})
	require.ErrorContains(t, err, "empty after")
}

// TestBucketModel compares a leaky bucket with one that is drained nanosecond by nanosecond.
func TestBucketModel(t *testing.T) {
	for seed := range uint64(long.N(200, 20_000)) {
		c := rand.New(rand.NewPCG(seed, 0))
		every, capacity := time.Duration(1+c.IntN(9)), 1+c.IntN(5)
		b := gate.NewLeakyBucket(every, capacity)
		level, limit, paused := time.Duration(0), time.Duration(capacity)*every, false
		r := sim.Run(seed, func(ctx context.Context) error {
			for i := range 60 {
				n := c.IntN(capacity + 2)
				amount := time.Duration(n) * every
				switch c.IntN(6) {
				case 0, 1:
					d := time.Duration(c.IntN(20))
					if !paused {
						level = max(level-d, 0)
					}
					if err := env.Sleep(ctx, d); err != nil {
						return err
					}
				case 2:
					fits := level+amount <= limit
					if err := stm.Do(ctx, func(tx *stm.Tx) error {
						if b.Fill(tx, n) != fits {
							return fmt.Errorf("step %d: filled %v", i, !fits)
						}
						return nil
					}); err != nil {
						return err
					}
					if fits {
						level += amount
					}
				case 3:
					level = min(level+amount, limit)
					if err := do(ctx, func(tx *stm.Tx) { b.TopUp(tx, n) }); err != nil {
						return err
					}
				case 4:
					paused = true
					if err := do(ctx, b.Pause); err != nil {
						return err
					}
				case 5:
					paused = false
					if err := do(ctx, b.Resume); err != nil {
						return err
					}
				}
				if err := stm.Do(ctx, func(tx *stm.Tx) error {
					if got, want := b.Level(tx), int((level+every-1)/every); got != want || b.Empty(tx) != (level == 0) {
						return fmt.Errorf("step %d: level %d, not %d; empty %v", i, got, want, b.Empty(tx))
					}
					return nil
				}); err != nil {
					return err
				}
			}
			return drains(ctx, b, level)
		})
		require.NoError(t, r.Err, "seed %d", seed)
	}
}

// drains waits until the bucket is empty and looks at how long it took.
func drains(ctx context.Context, b *gate.LeakyBucket, level time.Duration) error {
	if err := do(ctx, b.Resume); err != nil {
		return err
	}
	start := env.Now(ctx)
	err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(b.Empty(tx)); return nil })
	if took := env.Now(ctx).Sub(start); err == nil && took != level {
		return fmt.Errorf("empty after %v, not %v", took, level)
	}
	return err
}
