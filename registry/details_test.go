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
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

// Of several who say no more than that the outer context has ended, Run returns what the body says.
func TestBodySaysItBest(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		ctx, cancel := env.WithCancelCause(ctx)
		require.EqualError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			task := registry.Fork(s, "task", func(ctx context.Context) (int, error) { _ = never(ctx); return 0, ctx.Err() })
			cancel(errOther)
			_, _ = task.Wait(context.WithoutCancel(ctx))
			return fmt.Errorf("body: %w", ctx.Err())
		}), "body: context canceled")
	})
}

// What a task gives to who waits for it has its name, also when the scope has long failed.
func TestNamesInFailedScopes(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var forked, ready error
		require.EqualError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			says := func(ctx context.Context) error { _ = never(ctx); return ctx.Err() }
			f := registry.Fork(s, "fork", func(ctx context.Context) (int, error) { return 0, says(ctx) })
			s.Go("failing", func(ctx context.Context) error { return errors.Join(env.Sleep(ctx, time.Millisecond), errBoom) })
			shielded := context.WithoutCancel(ctx)
			ready = s.Daemon(shielded, "daemon", func(ctx context.Context, _ func()) error { return says(ctx) })
			_, forked = f.Wait(shielded)
			return nil
		}), "failing: boom")
		require.EqualError(t, forked, "fork: context canceled")
		require.EqualError(t, ready, "daemon: context canceled")
	})
}

func TestDaemonThatCrashesFailsTheScope(t *testing.T) {
	var got error
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		got = s.Daemon(ctx, "crashing", func(context.Context, func()) error { panic(errBoom) })
		return nil
	})
	require.ErrorIs(t, got, errBoom)
	require.ErrorIs(t, err, errBoom)
}

// The close function of one handle waits for the release of another, but not for its own.
func TestCloseReleasesAnother(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		var h history
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			slow, err := registry.Acquire(s, "slow", func(context.Context) (int, error) { return 0, nil },
				func(ctx context.Context, _ int) error { defer h.add("slow"); return env.Sleep(ctx, time.Hour) })
			require.NoError(t, err)
			var quick *registry.Handle[int]
			quick, err = registry.Acquire(s, "quick", func(context.Context) (int, error) { return 0, nil },
				func(ctx context.Context, _ int) error {
					defer h.add("quick")
					return errors.Join(quick.Release(ctx), slow.Release(ctx))
				})
			require.NoError(t, err)
			s.Go("releasing", func(ctx context.Context) error { return slow.Release(ctx) })
			return errors.Join(env.Sleep(ctx, time.Minute), quick.Release(ctx))
		}))
		require.Equal(t, "slow quick", h.String())
	})
}

func TestRestartByDefault(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		var starts []time.Duration
		from := env.Now(ctx)
		var gaveUp *registry.RestartError
		require.ErrorAs(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			registry.Supervise(s, "bad", registry.Restart{}, func(ctx context.Context) error {
				starts = append(starts, env.Now(ctx).Sub(from))
				return errBoom
			})
			return never(ctx)
		}), &gaveUp)
		require.Len(t, starts, 6)
		for i := range 5 {
			most := 100 * time.Millisecond << i
			require.GreaterOrEqual(t, starts[i+1]-starts[i], most/2)
			require.LessOrEqual(t, starts[i+1]-starts[i], most)
		}
	})
}

func TestNoGraceAtAll(t *testing.T) {
	for _, none := range []time.Duration{0, -1} {
		require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			_, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 0, nil }, func(ctx context.Context, _ int) error {
				_, limited := ctx.Deadline()
				require.False(t, limited)
				return nil
			})
			return err
		}, registry.WithGrace(time.Minute), registry.WithGrace(none)))
	}
}

// A scope that ends in time tells its failures once, as they come, and none with its end.
func TestGraceTellsOnce(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var events trace.Recorder[registry.Event]
		require.ErrorIs(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return errBoom },
			registry.WithGrace(time.Minute), registry.WithTracer(events.Tracer())), errBoom)
		var errs []error
		for _, e := range events.Events() {
			errs = append(errs, e.Err)
		}
		require.Equal(t, []error{nil, errBoom, nil}, errs, "opened, failed, ended")
	})
}

// Each state of a scope and of a resource, as it is pictured.
func TestStates(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var seen []string
		var kept *registry.Scope
		look := func() {
			tree := registry.Dump(kept)
			seen = append(seen, tree.State)
			for _, b := range tree.Below {
				seen = append(seen, b.Kind+" "+b.State)
			}
		}
		open := stm.NewVar(false)
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			kept = s
			_, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 0, nil },
				func(context.Context, int) error { look(); return nil })
			look()
			return err
		}))
		look()
		require.Equal(t, []string{"open", "resource held", "closing", "resource in release", "ended"}, seen)
		seen = nil
		require.ErrorIs(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			kept = s
			s.Go("failing", func(context.Context) error { return errBoom })
			_ = never(ctx)
			look()
			return raise(context.WithoutCancel(ctx), open)
		}), errBoom)
		require.Equal(t, "cancelled", seen[0])
		var waits []string
		require.ErrorIs(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			_, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 0, nil },
				func(context.Context, int) error { waits = registry.Dump(s).Waits; return nil })
			s.Go("slow", func(ctx context.Context) error {
				shielded := context.WithoutCancel(ctx)
				for waits = nil; len(waits) == 0; waits = registry.Dump(s).Waits {
					if err := env.Sleep(shielded, 1); err != nil {
						return err
					}
				}
				require.Equal(t, []string{"the end of slow"}, waits)
				return nil
			})
			return errors.Join(err, errBoom)
		}), errBoom)
		require.Empty(t, waits, "who releases waits for nothing")
	})
}

// A panic of a body goes on, and the events name the scope.
func TestPanicOfABodyIsAnEvent(t *testing.T) {
	for name, want := range map[string]string{"root": "root", "": "unnamed scope"} {
		var events trace.Recorder[registry.Event]
		require.PanicsWithValue(t, errBoom, func() {
			_ = registry.Run(context.Background(), func(context.Context, *registry.Scope) error { panic(errBoom) },
				registry.WithName(name), registry.WithTracer(events.Tracer()))
		})
		failed := events.Events()[1]
		require.Equal(t, "failed", failed.What)
		var p *registry.PanicError
		require.ErrorAs(t, failed.Err, &p)
		require.Equal(t, want, p.Task)
	}
}
