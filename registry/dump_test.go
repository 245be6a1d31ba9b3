package registry_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"regexp"
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

func TestDump(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		var text bytes.Buffer
		up := stm.NewVar(0)
		arrive := func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { up.Update(tx, func(n int) int { return n + 1 }); return nil })
		}
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			_, err := acquire(s, "db")
			require.NoError(t, err)
			require.NoError(t, s.Daemon(ctx, "server", serve))
			s.Go("sync", func(ctx context.Context) error {
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					s.Go("peer", func(ctx context.Context) error { _ = arrive(ctx); return never(ctx) })
					_ = arrive(ctx)
					return never(ctx)
				}, registry.WithName("sessions"))
			})
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(up.Get(tx) == 2); return nil }))
			require.NoError(t, env.Sleep(ctx, time.Second))
			_, err = registry.Dump(s).WriteTo(&text)
			require.NoError(t, err)
			return errBoom
		}, registry.WithName("node"))
		require.Equal(t, errBoom, err)
		places := regexp.MustCompile(`  \S+_test\.go:\d+ in .*`)
		require.Equal(t, `scope node  open  1s
  resource db  held  1s
  daemon server  waits for never  1s
  task sync  running  1s
    scope sessions  open, waits for never  1s
      task peer  waits for never  1s
`, places.ReplaceAllString(text.String(), ""))
		require.Len(t, places.FindAllString(text.String(), -1), 6)
	})
}

// No global holds a scope: once nobody runs it, it is garbage.
func TestScopesAreNotHeldByTheRegistry(t *testing.T) {
	var ptr weak.Pointer[registry.Scope]
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		ptr = weak.Make(s)
		s.Go("t", func(context.Context) error { return nil })
		return nil
	}))
	for range 10 {
		runtime.GC()
	}
	require.Nil(t, ptr.Value())

	var root *registry.Scope // the planted root
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		ptr, root = weak.Make(s), s
		return nil
	}))
	runtime.GC()
	require.NotNil(t, ptr.Value())
	runtime.KeepAlive(root)
}

// A scope that has ended is forgotten by the one above, which may live long.
func TestEndedScopesAreForgotten(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			inside := func(seen *registry.Tree) func(context.Context, *registry.Scope) error {
				return func(ctx context.Context, _ *registry.Scope) error { *seen = registry.Dump(s); return nil }
			}
			var one, two, none registry.Tree
			err := registry.Run(ctx, func(ctx context.Context, _ *registry.Scope) error {
				return registry.Run(context.WithoutCancel(ctx), inside(&one), registry.WithName("two"))
			}, registry.WithName("one"))
			err = errors.Join(err, registry.Run(ctx, inside(&two), registry.WithName("three")))
			none = registry.Dump(s)
			require.Len(t, one.Below, 1)
			require.Equal(t, "one", one.Below[0].Name)
			require.Len(t, one.Below[0].Below, 1)
			require.Equal(t, "two", one.Below[0].Below[0].Name)
			require.Len(t, two.Below, 1)
			require.Equal(t, "three", two.Below[0].Name)
			require.Empty(t, none.Below)
			return err
		}))
	})
}

func TestPath(t *testing.T) {
	require.Empty(t, registry.Path(context.Background()))
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("a", func(ctx context.Context) error {
			require.Equal(t, "root/a", registry.Path(ctx))
			require.Equal(t, "root/a", registry.Path(context.WithoutCancel(ctx)))
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				require.Equal(t, "root/a", registry.Path(ctx), "an unnamed scope is left out")
				s.Go("b", func(ctx context.Context) error { require.Equal(t, "root/a/b", registry.Path(ctx)); return nil })
				return nil
			})
		})
		return nil
	}, registry.WithName("root")))
}

func TestEvents(t *testing.T) {
	var events trace.Recorder[registry.Event]
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		h, err := acquire(s, "db")
		require.NoError(t, err)
		require.NoError(t, h.Release(ctx))
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("t", func(context.Context) error { return errBoom })
			return never(ctx)
		}, registry.WithName("inner"))
	}, registry.WithName("root"), registry.WithTracer(events.Tracer()))
	require.ErrorIs(t, err, errBoom)
	var got []string
	for _, e := range events.Events() {
		got = append(got, e.What+" "+e.Scope+" "+e.Name)
	}
	require.Equal(t, []string{"opened root ", "acquired root db", "released root db", "opened root/inner ", "started root/inner t",
		"failed root/inner t", "ended root/inner t", "ended root/inner ", "failed root ", "ended root "}, got)
}

// An age is that of what has ended, of a run, or of what was released, wherever it was moved meanwhile.
func TestAges(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		var events trace.Recorder[registry.Event]
		hours := func(n int) time.Duration { return time.Duration(n) * time.Hour }
		require.NoError(t, env.Sleep(ctx, hours(7)))
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			require.NoError(t, env.Sleep(ctx, hours(1)))
			var h *registry.Handle[*opened]
			require.NoError(t, registry.Run(ctx, func(ctx context.Context, inner *registry.Scope) (err error) {
				h, err = acquire(inner, "moved")
				require.NoError(t, err)
				inner.Go("task", func(ctx context.Context) error { return env.Sleep(ctx, hours(2)) })
				return h.Move(s)
			}))
			tree := registry.Dump(s)
			require.Equal(t, hours(3), tree.Age)
			require.Equal(t, hours(2), tree.Below[0].Age)
			registry.Supervise(s, "restarted", registry.Restart{}, func(ctx context.Context) error { return cmp.Or(env.Sleep(ctx, hours(3)), errBoom) })
			return env.Sleep(ctx, hours(5))
		}, registry.WithTracer(events.Tracer())))
		got := map[string]time.Duration{}
		for _, e := range events.Events() {
			if e.Age != 0 {
				got[e.What+" "+e.Name] += e.Age
			}
		}
		require.InDelta(t, hours(5), got["ended restarted"], float64(time.Minute))
		delete(got, "ended restarted")
		require.Equal(t, map[string]time.Duration{"ended task": hours(2), "ended ": hours(2) + hours(8), "released moved": hours(7), "restarted restarted": hours(3)}, got)
	})
}

// The registry's contexts are such that the standard library derives from them without a goroutine.
func TestDerivedContextsStartNothing(t *testing.T) {
	require.ErrorIs(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("t", func(ctx context.Context) error {
			before := runtime.NumGoroutine()
			for range 100 {
				_, cancel := context.WithCancel(ctx)
				defer cancel()
			}
			require.LessOrEqual(t, runtime.NumGoroutine(), before)
			return errBoom
		})
		return never(ctx)
	}), errBoom)
}
