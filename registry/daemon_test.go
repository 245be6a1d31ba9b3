package registry_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

func serve(ctx context.Context, ready func()) error {
	ready()
	return never(ctx)
}

func TestDaemonOutlivesWhatIsYounger(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var h history
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			_, err := registry.Acquire(s, "oldest", func(context.Context) (int, error) { return 0, nil },
				func(context.Context, int) error { h.add("oldest"); return nil })
			require.NoError(t, err)
			require.NoError(t, s.Daemon(ctx, "d", func(ctx context.Context, ready func()) error {
				defer h.add("daemon")
				return serve(ctx, ready)
			}))
			_, err = registry.Acquire(s, "young", func(context.Context) (int, error) { return 0, nil },
				func(context.Context, int) error { h.add("young"); return nil })
			require.NoError(t, err)
			s.Go("task", func(ctx context.Context) error {
				defer h.add("task")
				return env.Sleep(ctx, time.Millisecond)
			})
			return nil
		}))
		require.Equal(t, "task young daemon oldest", h.String())
	})
}

func TestDaemonThatFailsToStart(t *testing.T) {
	for _, c := range []struct {
		name string
		f    func(ctx context.Context, ready func()) error
		want error
	}{
		{"error", func(context.Context, func()) error { return errBoom }, errBoom},
		{"returns", func(context.Context, func()) error { return nil }, registry.ErrNotReady},
	} {
		bothWorlds(t, func(ctx context.Context, t require.TestingT) {
			require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				require.ErrorIs(t, s.Daemon(ctx, c.name, c.f), c.want)
				return s.Daemon(ctx, "second try", serve)
			}), "a failed start is the caller's to judge")
		})
	}
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		return s.Daemon(ctx, "panicking", func(context.Context, func()) error { panic("no") })
	})
	var p *registry.PanicError
	require.ErrorAs(t, err, &p)
	require.Equal(t, "panicking", p.Task)
}

func TestDaemonGivenUp(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			stopped := stm.NewVar(false)
			short, cancel := env.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			err := s.Daemon(short, "slow", func(ctx context.Context, ready func()) error {
				err := never(ctx)
				return errors.Join(err, stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { stopped.Set(tx, true); return nil }))
			})
			require.ErrorIs(t, err, context.DeadlineExceeded)
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(stopped.Get(tx)); return nil })
		}), "it is cancelled at once, not when the scope closes")
	})
}

func TestDaemonFailsLater(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			require.NoError(t, s.Daemon(ctx, "d", func(ctx context.Context, ready func()) error {
				ready()
				return errors.Join(env.Sleep(ctx, time.Millisecond), errBoom)
			}))
			return never(ctx)
		})
		require.ErrorIs(t, err, errBoom)
	})
}

func TestForkResult(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		gate := stm.NewVar(false)
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			a := registry.Fork(s, "a", func(ctx context.Context) (int, error) {
				return 1, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(gate.Get(tx)); return nil })
			})
			b := registry.Fork(s, "b", func(ctx context.Context) (int, error) { return 2, never(ctx) })
			_, err := stm.Query(ctx, func(tx *stm.Tx) bool {
				_, _, done := a.Poll(tx)
				gate.Set(tx, true)
				return done
			})
			require.NoError(t, err)
			first, err := stm.Query(ctx, func(tx *stm.Tx) int {
				if v, _, done := b.Poll(tx); done {
					return v
				}
				v, _, done := a.Poll(tx)
				tx.Check(done)
				return v
			})
			require.NoError(t, err)
			require.Equal(t, 1, first)
			b.Cancel(errOther)
			v, err := b.Wait(ctx)
			require.Equal(t, 2, v)
			require.ErrorIs(t, err, errOther)
			return nil
		}), "a cancelled task is no failure")
	})
}

func TestForkFailureIsReportedOnce(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			f := registry.Fork(s, "f", func(context.Context) (int, error) { return 0, errBoom })
			_, err := f.Wait(context.WithoutCancel(ctx))
			return err
		})
		require.EqualError(t, err, "f: boom")
	})
}

func TestForkPanicReachesWaiter(t *testing.T) {
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		f := registry.Fork(s, "f", func(context.Context) (int, error) { panic(errBoom) })
		_, err := f.Wait(context.WithoutCancel(ctx))
		var p *registry.PanicError
		require.ErrorAs(t, err, &p)
		return nil
	})
	require.ErrorIs(t, err, errBoom)
}

func TestForkInClosingScope(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		ctx, cancel := env.WithCancelCause(ctx)
		var events trace.Recorder[registry.Event]
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			cancel(errOther)
			f := registry.Fork(s, "f", func(context.Context) (int, error) { return 0, nil })
			_, err := f.Wait(context.WithoutCancel(ctx))
			var closed *registry.ClosedError
			require.ErrorAs(t, err, &closed)
			registry.Supervise(s, "s", registry.Restart{}, never)
			require.Equal(t, 1, closed.Refused, "what others were given stays as it is")
			require.ErrorAs(t, s.Daemon(ctx, "d", serve), &closed)
			return err
		}, registry.WithTracer(events.Tracer()))
		var refused []string
		for _, e := range events.Events() {
			if e.What == "refused" {
				refused = append(refused, e.Name)
			}
		}
		require.Equal(t, []string{"f", "s"}, refused)
		var closed *registry.ClosedError
		require.ErrorAs(t, err, &closed)
		require.Equal(t, 2, closed.Refused)
		require.Equal(t, 1, strings.Count(err.Error(), "was not started"), "told once")
		require.Contains(t, err.Error(), `"f" was not started, nor 1 more: other`)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, errOther)
	})
}
