package event_test

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
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/prop/proptest"
)

// bothWorlds runs one program text in production and in simulations.
func bothWorlds(t *testing.T, program func(ctx context.Context) error) {
	t.Helper()
	require.NoError(t, program(context.Background()), "production")
	for seed := range uint64(long.N(50, 5000)) {
		hash, err := simulate(seed, program)
		require.NoError(t, err, "seed %d", seed)
		again, _ := simulate(seed, program)
		require.Equal(t, hash, again, "seed %d", seed)
	}
}

// TestTurns checks the property Fair of a Chan, at both of its sides: those who wait are met in the order in which they
// came. A keeper hands out one token and takes it back.
func TestTurns(t *testing.T) {
	require.True(t, event.NewChan[int]().Props().Fair)
	for _, side := range []string{"receivers", "senders"} {
		for seed := range uint64(long.N(100, 10_000)) {
			_, err := simulate(seed, func(ctx context.Context) error {
				out, back := event.NewChan[int](), event.NewChan[int]()
				receive := func(c *event.Chan[int]) func(ctx context.Context) error {
					return func(ctx context.Context) error { _, err := c.Recv(ctx); return err }
				}
				send := func(c *event.Chan[int]) func(ctx context.Context) error {
					return func(ctx context.Context) error { return c.Send(ctx, 1) }
				}
				enter, leave, give, take := receive(out), send(back), send(out), receive(back)
				if side == "senders" {
					enter, leave, give, take = send(out), receive(back), receive(out), send(back)
				}
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					keeping, stop := env.WithCancel(ctx)
					s.Go("keeper", func(context.Context) error {
						for give(keeping) == nil && take(keeping) == nil {
						}
						return nil
					})
					defer stop()
					return proptest.Turns(ctx, enter, leave)
				})
			})
			require.NoError(t, err, "%s, seed %d", side, seed)
		}
	}
}

func TestPriority(t *testing.T) {
	ctx := context.Background()
	a, b := stm.NewVar(true), stm.NewVar(true)
	when := func(v *stm.Var[bool], name string) event.Event[string] {
		return event.Tx(func(tx *stm.Tx) (string, error) { tx.Check(v.Get(tx)); return name, nil })
	}
	choice := event.Choose(when(a, "a"), event.Never[string](), when(b, "b"), event.Always("neither"))
	for _, c := range []struct {
		a, b bool
		want string
	}{{true, true, "a"}, {false, true, "b"}, {false, false, "neither"}} {
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { a.Set(tx, c.a); b.Set(tx, c.b); return nil }))
		got, err := event.Sync(ctx, choice)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestNever(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		soon, cancel := env.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		for _, e := range []event.Event[int]{{}, event.Never[int](), event.Choose[int](), event.Choose(event.Never[int]()),
			event.Wrap(event.Never[int](), func(v int) (int, error) { return v, nil }),
			event.Guard(func(context.Context) event.Event[int] { return event.Never[int]() }),
		} {
			if _, err := event.Sync(soon, e); !errors.Is(err, context.DeadlineExceeded) {
				return fmt.Errorf("never gave %v", err)
			}
		}
		return nil
	})
}

// TestTime waits for instants, in virtual time exactly.
func TestTime(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		start := env.Now(ctx)
		e := event.Choose(event.After(2*time.Hour), event.After(time.Hour), event.At(start.Add(5*time.Hour)))
		for n := range 3 {
			at, err := event.Sync(ctx, e)
			if err != nil {
				return err
			}
			require.Equal(t, time.Duration(n+1)*time.Hour, at.Sub(start), "an hour anew each time")
			require.Equal(t, at, env.Now(ctx))
		}
		return nil
	})
	require.NoError(t, r.Err)
	require.Equal(t, 3*time.Hour, r.Elapsed)
}

func TestDone(t *testing.T) {
	why := errors.New("why")
	bothWorlds(t, func(ctx context.Context) error {
		other, cancel := env.WithCancelCause(ctx)
		c := event.NewChan[error]()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("canceller", func(context.Context) error { cancel(why); return nil })
			for range 2 { // while it ends, and once it has
				got, err := event.Sync(ctx, event.Choose(event.Recv(c), event.Done(other)))
				if err != nil || got != why {
					return fmt.Errorf("got %v, %v", got, err)
				}
			}
			return nil
		})
	})
}

// TestGuardAndWrap counts when their functions run: Guard's once for each Sync, Wrap's only for what has happened.
func TestGuardAndWrap(t *testing.T) {
	ctx := context.Background()
	made, wrapped := 0, 0
	e := event.Guard(func(context.Context) event.Event[int] {
		made++
		return event.Choose(
			event.Wrap(event.Never[int](), func(int) (int, error) { wrapped++; return 0, nil }),
			event.Wrap(event.Always(made), func(v int) (int, error) { return 10 * v, nil }),
			event.Wrap(event.Always(7), func(int) (int, error) { wrapped++; return 0, nil }),
		)
	})
	for n := 1; n <= 3; n++ {
		v, err := event.Sync(ctx, e)
		require.NoError(t, err)
		require.Equal(t, 10*n, v)
	}
	require.Equal(t, 3, made)
	require.Zero(t, wrapped)

	boom := errors.New("boom")
	_, err := event.Sync(ctx, event.Wrap(event.Always(1), func(int) (int, error) { return 0, boom }))
	require.ErrorIs(t, err, boom)
	_, err = event.Sync(ctx, event.Wrap(event.Tx(func(*stm.Tx) (int, error) { return 0, boom }),
		func(int) (int, error) { panic("not reached") }))
	require.ErrorIs(t, err, boom)
}

func TestClose(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		c := event.NewChan[int]()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			ended := func(err error) error {
				if !errors.Is(err, prop.ErrClosed) {
					return fmt.Errorf("a closed Chan gives %v", err)
				}
				return nil
			}
			for range 3 {
				s.Go("receiver", func(ctx context.Context) error {
					_, err := c.Recv(ctx)
					return ended(err)
				})
			}
			if err := stm.Do(ctx, func(tx *stm.Tx) error { c.Close(tx); c.Close(tx); return nil }); err != nil {
				return err
			}
			return ended(c.Send(ctx, 1))
		})
	})
}

// TestPanicWithdraws has a transaction panic, fail and exit while offers are out: nobody meets them afterwards.
func TestPanicWithdraws(t *testing.T) {
	boom := errors.New("boom")
	for name, end := range map[string]func(){"error": nil, "panic": func() { panic(boom) }} {
		t.Run(name, func(t *testing.T) {
			bothWorlds(t, func(ctx context.Context) error {
				c, now := event.NewChan[int](), stm.NewVar(false)
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					s.Go("receiver", func(ctx context.Context) (err error) {
						defer func() {
							if r := recover(); r != nil {
								err, _ = r.(error)
							}
							if err == boom {
								err = nil
							}
						}()
						_, err = event.Sync(ctx, event.Choose(event.Recv(c), event.Tx(func(tx *stm.Tx) (int, error) {
							tx.Check(now.Get(tx))
							if end != nil {
								end()
							}
							return 0, boom
						})))
						return err
					})
					if err := stm.Do(ctx, func(tx *stm.Tx) error { now.Set(tx, true); return nil }); err != nil {
						return err
					}
					if err := env.Sleep(ctx, time.Millisecond); err != nil {
						return err
					}
					_, err := event.Sync(ctx, event.Choose(event.Send(c, 1), event.Always(struct{}{})))
					if err != nil {
						return err
					}
					soon, cancel := env.WithTimeout(ctx, time.Millisecond)
					defer cancel()
					if err := c.Send(soon, 1); !errors.Is(err, context.DeadlineExceeded) {
						return fmt.Errorf("somebody who is gone was met: %v", err)
					}
					return nil
				})
			})
		})
	}
}

// TestNilIsAValue sends the nil of an interface type.
func TestNilIsAValue(t *testing.T) {
	bothWorlds(t, func(ctx context.Context) error {
		c := event.NewChan[error]()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("sender", func(ctx context.Context) error { return c.Send(ctx, nil) })
			got, err := c.Recv(ctx)
			return errors.Join(got, err)
		})
	})
}
