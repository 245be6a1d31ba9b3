package env_test

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

func TestSleep(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		from := env.Now(ctx)
		if err := env.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		if d := env.Now(ctx).Sub(from); d < time.Millisecond {
			return fmt.Errorf("woke after %v", d)
		}
		return env.Sleep(ctx, -1)
	})
}

func TestSleepIsCancelled(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		ctx, cancel := env.WithCancelCause(ctx)
		err := registry.Run(context.WithoutCancel(ctx), func(_ context.Context, s *registry.Scope) error {
			s.Go("canceller", func(context.Context) error { cancel(errBoom); return nil })
			return env.Sleep(ctx, time.Hour)
		})
		if !errors.Is(err, context.Canceled) || !errors.Is(err, errBoom) {
			return fmt.Errorf("cancelled sleep: %w", err)
		}
		if err := env.Sleep(ctx, 0); !errors.Is(err, errBoom) {
			return fmt.Errorf("a sleep of nothing under a cancelled context: %v", err)
		}
		return nil
	})
}

// Time, a Var and a timer are waited for together; each waiter of one instant is woken.
func TestReachedComposes(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		at := env.Now(ctx).Add(2 * time.Millisecond)
		v := stm.NewVar(0)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for i := range 4 {
				s.Go(fmt.Sprint(i), func(ctx context.Context) error {
					return stm.Do(ctx, func(tx *stm.Tx) error {
						timeout := stm.OrElse(tx, func(tx *stm.Tx) bool { tx.Check(v.Get(tx) == 9); return false },
							func(tx *stm.Tx) bool { tx.Check(env.Reached(tx, at)); return true })
						if !timeout || env.Time(tx).Before(at) {
							return errors.New("woke early")
						}
						return nil
					})
				})
			}
			s.Go("early", func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error {
					if env.Reached(tx, at.Add(time.Hour)) {
						return errors.New("waited for the later instant")
					}
					tx.Check(v.Get(tx) == 1 || env.Reached(tx, at))
					return nil
				})
			})
			return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, 2); return nil })
		})
	})
}

func TestTimeIsOneInstantARun(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		return stm.Do(ctx, func(tx *stm.Tx) error {
			first := env.Time(tx)
			for range 1000 {
				if !env.Time(tx).Equal(first) {
					return errors.New("time went on inside a run")
				}
			}
			return nil
		})
	})
}

// A wait that something else ended leaves no wake-up: the deadlock that follows is found before its instant. The
// second program plants what a leak would look like.
func TestNoWakeUpIsLeft(t *testing.T) {
	elapsed := func(leak bool) time.Duration {
		r := sim.Run(1, func(ctx context.Context) error {
			v := stm.NewVar(false)
			if leak {
				_, cancel := env.WithTimeout(ctx, time.Hour)
				defer cancel()
			}
			at := env.Now(ctx).Add(time.Hour)
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				ctx, cancel := env.WithCancel(ctx)
				for range 3 {
					s.Go("by a Var", func(context.Context) error {
						_ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx) || env.Reached(tx, at)); return nil })
						return nil
					})
				}
				s.Go("by its context", func(context.Context) error { _ = env.Sleep(ctx, time.Hour); return nil })
				s.Go("by a timeout", func(context.Context) error {
					short, cancel := env.WithTimeout(ctx, time.Second)
					defer cancel()
					_ = env.Sleep(short, time.Hour)
					return nil
				})
				timer := env.NewTimer(ctx, time.Hour)
				timer.Stop()
				if err := env.Sleep(ctx, 2*time.Second); err != nil {
					return err
				}
				cancel()
				return stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { v.Set(tx, true); return nil })
			})
			if err != nil {
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!v.Get(tx)); return nil })
		})
		var d *sim.DeadlockError
		require.ErrorAs(t, r.Err, &d)
		return r.Elapsed
	}
	require.Equal(t, 2*time.Second, elapsed(false))
	require.Equal(t, time.Hour, elapsed(true))
}

func TestTimer(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		fired := func(t *env.Timer) bool {
			f, _ := stm.Query(ctx, t.Fired)
			return f
		}
		early, late := env.NewTimer(ctx, time.Millisecond), env.NewTimer(ctx, 2*time.Millisecond)
		if fired(early) || !late.Stop() || late.Stop() {
			return errors.New("before the instant")
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(late.Fired(tx) || early.Fired(tx)); return nil }); err != nil {
			return err
		}
		if err := env.Sleep(ctx, 2*time.Millisecond); err != nil {
			return err
		}
		if !fired(early) || fired(late) || early.Stop() || !fired(early) {
			return errors.New("after the instant")
		}
		return nil
	})
}

// Stopping a timer takes its wake-up from who waits for it.
func TestStoppedTimerIsWaitedForNoMore(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		timer := env.NewTimer(ctx, time.Hour)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("waiter", func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(timer.Fired(tx)); return nil })
			})
			err := env.Sleep(ctx, time.Minute)
			timer.Stop()
			return err
		})
	})
	var d *sim.DeadlockError
	require.ErrorAs(t, r.Err, &d)
	require.Equal(t, time.Minute, r.Elapsed)
}

func TestContexts(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		ran := stm.NewVar(0)
		a, cancel := env.WithCancel(ctx)
		add := func() {
			_ = stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { ran.Update(tx, func(n int) int { return n + 1 }); return nil })
		}
		env.AfterFunc(a, add)
		stop := env.AfterFunc(a, add)
		if !stop() || stop() {
			return errors.New("stop of a callback that has not run")
		}
		cancel()
		b, cancelB := env.WithTimeout(ctx, time.Millisecond)
		defer cancelB()
		<-waited(ctx, b)
		if !errors.Is(b.Err(), context.DeadlineExceeded) || env.WithoutCancel(b).Err() != nil {
			return fmt.Errorf("timeout: %v", b.Err())
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(ran.Get(tx) == 1); return nil })
	})
}

// waited waits for the end of b in its world.
func waited(ctx, b context.Context) <-chan struct{} {
	_ = env.Sleep(b, time.Hour)
	return b.Done()
}

func TestClockOfAWorld(t *testing.T) {
	require.WithinDuration(t, env.Now(context.Background()), env.Clock{}.Now(), time.Minute)
	bothWorlds(t, func(ctx context.Context) error {
		c := env.ClockOf(ctx)
		if c.Now().Before(env.Now(ctx).Add(-time.Second)) || c.Now().After(env.Now(ctx)) {
			return errors.New("another clock")
		}
		before := c.Elapsed()
		if err := env.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		if d := env.ClockOf(ctx).Elapsed() - before; d < time.Millisecond || d > time.Hour {
			return fmt.Errorf("%v have passed in a millisecond", d)
		}
		return nil
	})
}

func TestChance(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		seen := map[int]bool{}
		for range 200 {
			seen[env.Choose(ctx, "side", 4)] = true
			seen[4+env.Rand(ctx).IntN(4)] = true
		}
		if len(seen) != 8 {
			return fmt.Errorf("seen %v", seen)
		}
		return nil
	})
	require.Zero(t, env.Choose(context.Background(), "x", 1), "of one there is no choice")
	require.PanicsWithValue(t, "env: Choose x of nothing", func() { env.Choose(context.Background(), "x", 0) })
}

func TestAnotherSeedAnotherChance(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := range uint64(20) {
		hashes[sim.Run(seed, func(ctx context.Context) error { env.Choose(ctx, "x", 1000); return nil }).Hash] = true
	}
	require.Greater(t, len(hashes), 15)
}

func TestFaults(t *testing.T) {
	site := func(ctx context.Context) error { return env.Fault(ctx, "store.write") }
	arm := func(s string) error {
		if s == "store.write" {
			return errBoom
		}
		return nil
	}
	bothWorlds(t, func(ctx context.Context) error {
		if err := site(ctx); err != nil {
			return err
		}
		armed := env.WithFaults(ctx, arm)
		if site(armed) != errBoom || env.Fault(armed, "other") != nil {
			return errors.New("an armed site")
		}
		return nil
	})
	require.Equal(t, errBoom, sim.Run(1, site, sim.Faults(arm)).Err)
}
