package event_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sync/event"
)

type task = func(ctx context.Context) (int, error)

var errBoom = errors.New("boom")

// field is tasks that each take some time and then succeed or fail, and a count of those that run.
type field struct {
	running int
	lost    int // cancelled, with the cause ErrLost
	order   []int
	tasks   []task
}

func newField(ctx context.Context, n int, stubborn bool) *field {
	f := &field{}
	for i := range n {
		d, fails := time.Duration(env.Choose(ctx, "time", 6)), env.Choose(ctx, "fails", 3) == 0
		f.tasks = append(f.tasks, func(ctx context.Context) (int, error) {
			f.running++
			defer func() { f.running-- }()
			if stubborn {
				ctx = env.WithoutCancel(ctx)
			}
			if err := env.Sleep(ctx, d); err != nil {
				if errors.Is(err, event.ErrLost) {
					f.lost++
				}
				return 0, err
			}
			if fails {
				f.order = append(f.order, -i-1)
				return 0, fmt.Errorf("task %d: %w", i, errBoom)
			}
			f.order = append(f.order, i)
			return i, nil
		})
	}
	return f
}

// contests runs check in many simulations, with tasks that end when they are cancelled and with some that do not.
func contests(t *testing.T, check func(ctx context.Context, spawn event.Spawn, f *field) error) {
	t.Helper()
	lost := 0
	for seed := range uint64(long.N(400, 40_000)) {
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				f := newField(ctx, 4, env.Choose(ctx, "stubborn", 4) == 0)
				if err := check(ctx, s.Go, f); err != nil {
					return err
				}
				if f.running > 0 {
					return fmt.Errorf("%d tasks run on", f.running)
				}
				lost += f.lost
				return nil
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
	}
	require.NotZero(t, lost)
}

func TestAll(t *testing.T) {
	contests(t, func(ctx context.Context, spawn event.Spawn, f *field) error {
		vs, err := event.All(ctx, spawn, f.tasks...)
		failed := slices.ContainsFunc(f.order, func(i int) bool { return i < 0 })
		switch {
		case failed != (err != nil), err != nil && !errors.Is(err, errBoom):
			return fmt.Errorf("%v gives %v", f.order, err)
		case err == nil && !slices.Equal(vs, []int{0, 1, 2, 3}):
			return fmt.Errorf("%v gives %v", f.order, vs)
		}
		return nil
	})
}

func TestRace(t *testing.T) {
	contests(t, func(ctx context.Context, spawn event.Spawn, f *field) error {
		v, err := event.Race(ctx, spawn, f.tasks...)
		if (err != nil) == slices.Contains(f.order, v) && err == nil || err != nil && !errors.Is(err, errBoom) {
			return fmt.Errorf("%v gives %v, %v", f.order, v, err)
		}
		return nil
	})
}

func TestFirstN(t *testing.T) {
	contests(t, func(ctx context.Context, spawn event.Spawn, f *field) error {
		vs, err := event.FirstN(ctx, spawn, 2, f.tasks...)
		var good []int
		for _, i := range f.order {
			if i >= 0 {
				good = append(good, i)
			}
		}
		switch {
		case err == nil && len(vs) != 2, err == nil && !contains(good, vs), err != nil && len(good) > 1, err != nil && !errors.Is(err, errBoom):
			return fmt.Errorf("%v gives %v, %v", f.order, vs, err)
		}
		return nil
	})
}

func contains(all, some []int) bool {
	return !slices.ContainsFunc(some, func(v int) bool { return !slices.Contains(all, v) })
}

// TestContestCancelled ends the context of who waits at a random moment. The tasks have ended when it returns.
func TestContestCancelled(t *testing.T) {
	why := errors.New("why")
	contests(t, func(ctx context.Context, spawn event.Spawn, f *field) error {
		outer, cancel := env.WithCancelCause(ctx)
		spawn("canceller", func(ctx context.Context) error {
			err := env.Sleep(ctx, time.Duration(env.Choose(ctx, "when", 6)))
			cancel(why)
			return err
		})
		_, err := event.FirstN(outer, spawn, 4, f.tasks...)
		if err != nil && !errors.Is(err, why) && !errors.Is(err, errBoom) {
			return err
		}
		return nil
	})
}

// TestContestCrashes has tasks panic and exit: the contest ends, the others with it, and the scope reports the crash.
func TestContestCrashes(t *testing.T) {
	for name, crash := range map[string]task{
		"panic":  func(context.Context) (int, error) { panic(errBoom) },
		"goexit": func(context.Context) (int, error) { runtime.Goexit(); return 0, nil },
	} {
		t.Run(name, func(t *testing.T) {
			running, gave := false, error(nil)
			err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				_, gave = event.All(ctx, s.Go, crash, func(ctx context.Context) (int, error) {
					running = true
					defer func() { running = false }()
					return 0, env.Sleep(ctx, time.Hour)
				})
				require.False(t, running)
				return nil
			})
			require.Error(t, gave)
			if name == "panic" {
				require.ErrorIs(t, err, errBoom)
			} else {
				require.ErrorIs(t, err, registry.ErrGoexit)
			}
		})
	}
}

// TestContestRefused has a scope that starts nothing any more: the contest ends with its context.
func TestContestRefused(t *testing.T) {
	ctx, cancel := env.WithCancel(context.Background())
	cancel()
	refuse := func(string, func(ctx context.Context) error) {}
	_, err := event.All(ctx, refuse, func(context.Context) (int, error) { return 1, nil })
	require.ErrorIs(t, err, context.Canceled)

	// A task that was started late does not begin.
	var late func(ctx context.Context) error
	_, err = event.Race(ctx, func(_ string, f func(ctx context.Context) error) { late = f }, func(context.Context) (int, error) { panic("begun") })
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, late(context.Background()))
}

func TestContestOfFew(t *testing.T) {
	ctx := context.Background()
	require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		vs, err := event.All[int](ctx, s.Go)
		require.NoError(t, err)
		require.Empty(t, vs)
		_, err = event.Race[int](ctx, s.Go)
		require.Error(t, err)
		_, err = event.FirstN[int](ctx, s.Go, 1)
		require.Error(t, err)
		vs, err = event.FirstN[int](ctx, s.Go, 0)
		require.NoError(t, err)
		require.Empty(t, vs)
		return nil
	}))
}

func TestWithTimeout(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		joined := false
		_, err := event.WithTimeout(ctx, time.Second, func(ctx context.Context) (int, error) {
			err := env.Sleep(ctx, time.Hour)
			_ = env.Sleep(env.WithoutCancel(ctx), time.Second)
			joined = true
			return 0, err
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.True(t, joined)
		v, err := event.WithTimeout(ctx, time.Second, func(ctx context.Context) (int, error) {
			return 7, env.Sleep(env.WithoutCancel(ctx), time.Minute)
		})
		require.NoError(t, err)
		require.Equal(t, 7, v, "late, and not lost")
		return nil
	})
	require.NoError(t, r.Err)
}

// TestContestFinds has a race that does not wait for the losers.
func TestContestFinds(t *testing.T) {
	found := 0
	for seed := range uint64(100) {
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				f, c := newField(ctx, 4, false), event.NewChan[int]()
				for _, task := range f.tasks {
					s.Go("task", func(ctx context.Context) error {
						v, _ := task(ctx)
						_, err := event.Sync(ctx, event.Choose(event.Send(c, v), event.Always(struct{}{})))
						return err
					})
				}
				if _, err := c.Recv(ctx); err == nil && f.running > 0 {
					found++
				}
				return nil
			})
		})
		require.NoError(t, r.Err)
	}
	require.NotZero(t, found)
}

// Also those that all have ended before anybody looked give n values.
func TestFirstNOfMany(t *testing.T) {
	one := func(context.Context) (int, error) { return 1, nil }
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		for range 50 {
			vs, err := event.FirstN(ctx, s.Go, 1, one, one, one, one)
			if err != nil || len(vs) != 1 {
				return fmt.Errorf("%v, %v", vs, err)
			}
		}
		return nil
	}))
}
