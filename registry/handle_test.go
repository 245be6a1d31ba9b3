package registry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// opened is a resource that knows how often it was closed.
type opened struct{ closes int }

func acquire(s *registry.Scope, name string) (*registry.Handle[*opened], error) {
	return registry.Acquire(s, name, func(context.Context) (*opened, error) { return new(opened), nil },
		func(ctx context.Context, o *opened) error { o.closes++; return nil })
}

func mustPanic[E error](t require.TestingT, f func()) (got E) {
	defer func() {
		r := recover()
		err, _ := r.(error)
		require.ErrorAs(t, err, &got, "recovered %v", r)
	}()
	f()
	return got
}

func TestUseAfterReleaseNamesThreePlaces(t *testing.T) {
	var h *registry.Handle[*opened]
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) (err error) {
		h, err = acquire(s, "db")
		require.NoError(t, err)
		require.NotNil(t, h.Value())
		require.NoError(t, h.Release(ctx))
		e := mustPanic[*registry.UseError](t, func() { h.Value() })
		require.Equal(t, "db", e.Name)
		require.Contains(t, e.Acquired, "handle_test.go")
		require.Contains(t, e.Acquired, "acquire")
		require.Regexp(t, `^handle_test.go:\d+ in registry_test.TestUseAfterRelease`, e.Released)
		require.Regexp(t, `^handle_test.go:\d+ in registry_test.TestUseAfterRelease`, e.Used)
		require.NotEqual(t, e.Released, e.Used)
		h, err = acquire(s, "kept")
		return err
	}, registry.WithName("root")))
	e := mustPanic[*registry.UseError](t, func() { h.Value() })
	require.Regexp(t, `^closing of scope root, handle_test.go:\d+ in registry_test.TestUseAfterRelease`, e.Released)
	require.NoError(t, h.Release(context.Background()), "releasing again is no use")
	require.ErrorIs(t, h.Move(nil), registry.ErrReleased)
}

func TestUseOfAnEndedScope(t *testing.T) {
	var kept *registry.Scope
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error { kept = s; return nil },
		registry.WithName("root")))
	for name, use := range map[string]func(){
		"Go":      func() { kept.Go("late", never) },
		"Acquire": func() { _, _ = acquire(kept, "late") },
		"Daemon":  func() { _ = kept.Daemon(context.Background(), "late", serve) },
		"Fork":    func() { registry.Fork(kept, "late", func(context.Context) (int, error) { return 0, nil }) },
	} {
		e := mustPanic[*registry.UseError](t, use)
		require.Equal(t, "root", e.Name, name)
		require.Contains(t, e.Acquired, "handle_test.go", name)
		require.Contains(t, e.Used, "handle_test.go", name)
	}
	var closed *registry.ClosedError
	require.ErrorAs(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		h, err := acquire(s, "x")
		require.NoError(t, err)
		return h.Move(kept)
	}), &closed, "who moves does not have to know that the other scope has ended")
}

func TestReleaseFromItsOwnClose(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var h *registry.Handle[int]
		closes := 0
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) (err error) {
			h, err = registry.Acquire(s, "x", func(context.Context) (int, error) { return 1, nil },
				func(ctx context.Context, _ int) error { closes++; return h.Release(ctx) })
			return err
		}))
		require.Equal(t, 1, closes)
	})
}

// A second Release waits for the first; the scope waits for both; the waits end with their contexts.
func TestConcurrentRelease(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		closes := 0
		begun, open := stm.NewVar(false), stm.NewVar(false)
		wait := func(ctx context.Context, v *stm.Var[bool]) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
		}
		set := func(ctx context.Context, v *stm.Var[bool]) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, true); return nil })
		}
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			h, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 1, nil },
				func(ctx context.Context, _ int) error {
					closes++
					return errors.Join(set(ctx, begun), wait(ctx, open))
				})
			require.NoError(t, err)
			for i := range 3 {
				s.Go(fmt.Sprint(i), func(ctx context.Context) error {
					err := h.Release(ctx)
					if !open.Load(ctx) {
						return errors.New("returned before it was released")
					}
					return err
				})
			}
			require.NoError(t, wait(ctx, begun))
			short, cancel := env.WithTimeout(ctx, time.Millisecond)
			defer cancel()
			require.ErrorIs(t, h.Release(short), context.DeadlineExceeded)
			return set(ctx, open)
		}))
		require.Equal(t, 1, closes)
	})
}

func TestMove(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var o *opened
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, outer *registry.Scope) error {
			var h *registry.Handle[*opened]
			require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) (err error) {
				h, err = acquire(s, "x")
				require.NoError(t, err)
				require.NoError(t, h.Move(s), "to where it is")
				return h.Move(outer)
			}))
			o = h.Value()
			require.Zero(t, o.closes)
			return nil
		}))
		require.Equal(t, 1, o.closes)
	})
}

func TestMoveToClosingScope(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var o *opened
		_ = registry.Run(ctx, func(ctx context.Context, outer *registry.Scope) error {
			h, err := acquire(outer, "x")
			require.NoError(t, err)
			o = h.Value()
			short, cancel := env.WithCancel(ctx)
			_ = registry.Run(short, func(ctx context.Context, s *registry.Scope) error {
				cancel()
				var closed *registry.ClosedError
				require.ErrorAs(t, h.Move(s), &closed)
				return nil
			})
			require.Zero(t, o.closes, "the owner stayed")
			return nil
		})
		require.Equal(t, 1, o.closes)
	})
}

type mover func(h *registry.Handle[*opened], to *registry.Scope) error

// raceMoves lets two tasks move a handle between scopes that close meanwhile, and a third release it; it returns how
// often the resource was closed.
func raceMoves(ctx context.Context, move mover) (closes int, err error) {
	var o *opened
	err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		return registry.Run(ctx, func(ctx context.Context, left *registry.Scope) error {
			h, err := acquire(left, "x")
			if err != nil {
				return err
			}
			o = h.Value()
			back := func(first, second *registry.Scope) func(context.Context) error {
				return func(ctx context.Context) error {
					for i := range 20 {
						to := first
						if i%2 == 1 {
							to = second
						}
						var closed *registry.ClosedError
						if err := move(h, to); err != nil && !errors.Is(err, registry.ErrReleased) && !errors.As(err, &closed) {
							return err
						}
						if err := env.Sleep(ctx, 0); err != nil {
							return err
						}
					}
					return nil
				}
			}
			s.Go("mover", back(left, s))
			left.Go("mover", back(s, left))
			s.Go("releaser", func(ctx context.Context) error {
				for range env.Choose(ctx, "wait", 20) {
					if err := env.Sleep(ctx, 0); err != nil {
						return err
					}
				}
				return h.Release(ctx)
			})
			return nil
		})
	})
	return o.closes, err
}

// A handle that moves between scopes that close meanwhile is released exactly once.
func TestMoveRacingRelease(t *testing.T) {
	race := func(ctx context.Context, t require.TestingT) {
		closes, err := raceMoves(ctx, (*registry.Handle[*opened]).Move)
		require.NoError(t, err)
		require.Equal(t, 1, closes)
	}
	for range 200 {
		require.NoError(t, catch(func(t require.TestingT) { race(context.Background(), t) }))
	}
	bothWorlds(t, race)
}

// The planted move lets both scopes own the resource.
func TestMoveThatCopiesIsFound(t *testing.T) {
	simulated(t, func(ctx context.Context, t require.TestingT) {
		closes, _ := raceMoves(ctx, func(h *registry.Handle[*opened], to *registry.Scope) error {
			o := h.Value()
			_, err := registry.Acquire(to, "x", func(context.Context) (*opened, error) { return o, nil },
				func(_ context.Context, o *opened) error { o.closes++; return nil })
			return err
		})
		require.Greater(t, closes, 1)
	})
}

// The value that an open function returns after the cancellation is not lost.
func TestCancelledWhileOpening(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		o := new(opened)
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("older", func(ctx context.Context) error { return nil })
			_, err := acquire(s, "older")
			require.NoError(t, err)
			_, err = registry.Acquire(s, "x", func(ctx context.Context) (*opened, error) {
				s.Go("failing", func(ctx context.Context) error { return errBoom }) // not before: opening must have begun
				_ = never(ctx)
				return o, nil
			},
				func(ctx context.Context, o *opened) error { o.closes++; return errors.Join(ctx.Err(), errOther) })
			var closed *registry.ClosedError
			require.ErrorAs(t, err, &closed)
			return err
		})
		require.Equal(t, 1, o.closes)
		require.ErrorIs(t, err, errBoom)
		require.ErrorIs(t, err, errOther)
	})
}

func TestPanicAndGoexitInClose(t *testing.T) {
	var h history
	exited := make(chan string)
	go func() {
		defer func() { exited <- h.String() }()
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			for name, f := range map[string]func(){"panic": func() { panic(errBoom) }, "exit": runtime.Goexit, "exit2": runtime.Goexit, "": func() {}} {
				_, err := registry.Acquire(s, name, func(context.Context) (int, error) { return 0, nil },
					func(context.Context, int) error { h.add(name); f(); return nil })
				require.NoError(t, err)
			}
			return nil
		})
		h.add("returned")
	}()
	at := <-exited
	require.Len(t, strings.Split(at, " "), 4, at)
	require.NotContains(t, at, "returned", "Goexit goes on once everything is released")
}

func TestEarlyReleaseReportsToItsCaller(t *testing.T) {
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		h, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 0, nil }, func(context.Context, int) error { panic(errBoom) })
		require.NoError(t, err)
		var p *registry.PanicError
		require.ErrorAs(t, h.Release(ctx), &p)
		require.ErrorIs(t, p, errBoom)
		return nil
	}))
}

func TestBodyPanicKeepsItsValue(t *testing.T) {
	var h history
	value := &struct{ n int }{7}
	func() {
		defer func() { require.Same(t, value, recover()) }()
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			s.Go("task", func(ctx context.Context) error { defer h.add("task"); return never(ctx) })
			_, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 0, nil }, func(context.Context, int) error { h.add("x"); return nil })
			require.NoError(t, err)
			panic(value)
		})
	}()
	require.ElementsMatch(t, []string{"task", "x"}, strings.Split(h.String(), " "))
}

func TestTenThousandTasks(t *testing.T) {
	bothWorldsOnce(t, func(ctx context.Context, t require.TestingT) {
		const n = 10_000
		var mu sync.Mutex
		ended := 0
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for range n {
				s.Go("task", func(ctx context.Context) error {
					err := never(ctx)
					mu.Lock()
					defer mu.Unlock()
					ended++
					return err
				})
			}
			return errBoom
		})
		require.Equal(t, errBoom, err)
		require.Equal(t, n, ended)
	})
}

func bothWorldsOnce(t *testing.T, program func(ctx context.Context, t require.TestingT)) {
	program(context.Background(), t)
	require.NoError(t, sim.Run(1, func(ctx context.Context) error { return catch(func(t require.TestingT) { program(ctx, t) }) }).Err)
}
