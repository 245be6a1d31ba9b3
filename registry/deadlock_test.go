package registry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// until waits for v.
func until(ctx context.Context, v *stm.Var[bool]) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
}

func raise(ctx context.Context, v *stm.Var[bool]) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, true); return nil })
}

func flagOf(s *registry.Scope, name string) *stm.Var[bool] {
	return registry.Owned(s, stm.NewVar(false).Label(name))
}

// crossed starts two tasks of which each waits for the other.
func crossed(s *registry.Scope, a, b *stm.Var[bool]) {
	s.Go("first", func(ctx context.Context) error { return errors.Join(until(ctx, a), raise(ctx, b)) })
	s.Go("second", func(ctx context.Context) error { return errors.Join(until(ctx, b), raise(ctx, a)) })
}

// Each program is the body of a scope "suspect". What is said of it once nothing moves any more is to be want.
var suspects = []struct {
	name string
	want bool
	body func(ctx context.Context, s *registry.Scope) error
}{
	{"two tasks wait for each other", true, func(ctx context.Context, s *registry.Scope) error {
		crossed(s, flagOf(s, "a"), flagOf(s, "b"))
		return nil
	}},
	{"the body too", true, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		crossed(s, a, flagOf(s, "b"))
		return until(ctx, a)
	}},
	{"somebody else may write one of the Vars", false, func(ctx context.Context, s *registry.Scope) error {
		crossed(s, flagOf(s, "a"), stm.NewVar(false).Label("b"))
		return nil
	}},
	{"a result that waits for another", true, func(ctx context.Context, s *registry.Scope) error {
		var second *registry.Task[int]
		started := stm.NewVar(false)
		first := registry.Fork(s, "first", func(ctx context.Context) (int, error) {
			if err := until(ctx, started); err != nil {
				return 0, err
			}
			return second.Wait(ctx)
		})
		second = registry.Fork(s, "second", func(ctx context.Context) (int, error) { return first.Wait(ctx) })
		return raise(ctx, started)
	}},
	{"a daemon that is never ready", true, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		return s.Daemon(ctx, "daemon", func(ctx context.Context, ready func()) error { return until(ctx, a) })
	}},
	{"a wait with a limit", false, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		crossed(s, a, flagOf(s, "b"))
		at := env.Now(ctx).Add(24 * time.Hour)
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(a.Get(tx) || env.Reached(tx, at)); return nil })
	}},
	{"a context with a limit", false, func(ctx context.Context, s *registry.Scope) error {
		crossed(s, flagOf(s, "a"), flagOf(s, "b"))
		short, cancel := env.WithTimeout(ctx, 24*time.Hour)
		defer cancel()
		return until(short, flagOf(s, "c"))
	}},
	{"a task that sleeps", false, func(ctx context.Context, s *registry.Scope) error {
		crossed(s, flagOf(s, "a"), flagOf(s, "b"))
		return env.Sleep(ctx, 24*time.Hour)
	}},
	{"a task that waits for its cancellation", false, func(ctx context.Context, s *registry.Scope) error {
		crossed(s, flagOf(s, "a"), flagOf(s, "b"))
		return stm.Do(ctx, func(*stm.Tx) error { return stm.ErrRetry })
	}},
	{"a task that waits under another's context", false, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		s.Go("guest", func(context.Context) error { return until(ctx, a) })
		return nil
	}},
	{"tasks below wait for a Var of this scope", true, func(ctx context.Context, s *registry.Scope) error {
		a, b := flagOf(s, "a"), flagOf(s, "b")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { crossed(s, a, b); return nil })
	}},
	{"a task works in a scope below", false, func(ctx context.Context, s *registry.Scope) error {
		crossed(s, flagOf(s, "a"), flagOf(s, "b"))
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return env.Sleep(ctx, 24*time.Hour) })
	}},
	{"a scope below has a grace that has not begun", true, func(ctx context.Context, s *registry.Scope) error {
		a, b := flagOf(s, "a"), flagOf(s, "b")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { crossed(s, a, b); return nil },
			registry.WithGrace(time.Minute))
	}},
	{"a scope below has a grace that runs", false, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("deaf", func(ctx context.Context) error { return deaf(ctx, a) })
			return errBoom
		}, registry.WithGrace(24*time.Hour))
	}},
	{"a scope below closes in its grace", false, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			return s.Daemon(ctx, "deaf", func(ctx context.Context, ready func()) error { ready(); return deaf(ctx, a) })
		}, registry.WithGrace(24*time.Hour))
	}},
	{"a scope below has outlived its grace, and works", false, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("deaf", func(ctx context.Context) error { return env.Sleep(context.WithoutCancel(ctx), 24*time.Hour) })
			return errBoom
		}, registry.WithGrace(time.Minute))
		var stuck *registry.StuckError
		if !errors.As(err, &stuck) {
			return err
		}
		return until(ctx, a)
	}},
	{"a release that goes on", false, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		s.Go("deaf", func(ctx context.Context) error { return deaf(ctx, a) })
		_, err := registry.Acquire(s, "slow", func(context.Context) (int, error) { return 0, nil },
			func(ctx context.Context, _ int) error { return env.Sleep(ctx, 24*time.Hour) })
		return errors.Join(err, errBoom)
	}},
	{"a scope below is cancelled, with a deaf task", true, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("deaf", func(ctx context.Context) error { return deaf(ctx, a) })
			return errBoom
		})
	}},
	{"a cancelled scope with a deaf task", true, func(ctx context.Context, s *registry.Scope) error {
		a := flagOf(s, "a")
		s.Go("deaf", func(ctx context.Context) error { return deaf(ctx, a) })
		return errBoom
	}},
}

func suspect(t registry.Tree) registry.Tree {
	for _, b := range t.Below {
		if b.Name == "suspect" {
			if b.Kind == "scope" {
				return b
			}
			return suspect(b)
		}
	}
	return registry.Tree{}
}

func TestDeadlockIsSaid(t *testing.T) {
	for _, c := range suspects {
		t.Run(c.name, func(t *testing.T) {
			for seed := range uint64(10) {
				var tree registry.Tree
				_ = sim.Run(seed, func(ctx context.Context) error {
					return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
						s.Go("suspect", func(ctx context.Context) error { return registry.Run(ctx, c.body, registry.WithName("suspect")) })
						if err := env.Sleep(ctx, time.Hour); err != nil { // time passes once nothing else can
							return err
						}
						root := registry.Dump(s)
						require.False(t, root.Deadlock, "who looks is in no deadlock")
						tree = suspect(root)
						return errBoom
					})
				})
				require.Equal(t, "suspect", tree.Name)
				require.Equal(t, c.want, tree.Deadlock, "seed %d:\n%v", seed, tree)
			}
		})
	}
}

// Somebody outside waits under the context of a task that is in a scope below: then nothing can be said of the task.
func TestDeadlockIsNotSaidOfAHost(t *testing.T) {
	for _, guest := range []bool{false, true} {
		var tree registry.Tree
		_ = sim.Run(1, func(ctx context.Context) error {
			var host context.Context
			var owned *stm.Var[bool]
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("suspect", func(ctx context.Context) error {
					return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
						host, owned = ctx, flagOf(s, "a")
						return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return until(ctx, owned) })
					}, registry.WithName("suspect"))
				})
				if err := env.Sleep(ctx, time.Hour); err != nil {
					return err
				}
				if guest {
					s.Go("guest", func(context.Context) error { return until(host, owned) })
				}
				err := env.Sleep(ctx, time.Hour)
				tree = suspect(registry.Dump(s))
				return errors.Join(err, errBoom)
			})
		})
		require.Equal(t, "suspect", tree.Name)
		require.Equal(t, !guest, tree.Deadlock, "%v", tree)
	}
}

// In production the same is said, of tasks that have had the time to park.
func TestDeadlockIsSaidInProduction(t *testing.T) {
	for _, c := range suspects {
		if !c.want || strings.HasSuffix(c.name, "with a deaf task") {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			require.ErrorIs(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				s.Go("suspect", func(ctx context.Context) error { return registry.Run(ctx, c.body, registry.WithName("suspect")) })
				for !suspect(registry.Dump(s)).Deadlock {
					runtime.Gosched()
				}
				return errBoom
			}), errBoom)
		})
	}
}

// What was said to be in deadlock never goes on: tasks hand tokens around through Vars of their own until all of them
// wait, while somebody looks all the time.
func TestDeadlockIsNeverWrong(t *testing.T) {
	program := func(ctx context.Context, t require.TestingT) {
		const tasks, rounds = 3, 40
		moves, deadAt, done := stm.NewVar(0), -1, false
		look := func(s *registry.Scope) {
			n := moves.Load(context.WithoutCancel(ctx))
			dead := suspect(registry.Dump(s)).Deadlock
			if deadAt >= 0 && n != deadAt {
				t.Errorf("in deadlock after %d moves, and yet there were %d", deadAt, n)
			}
			if dead && deadAt < 0 {
				deadAt = moves.Load(context.WithoutCancel(ctx))
				if deadAt != n { // moved between the two looks, before the verdict
					deadAt = -1
				}
			}
			done = dead && n == rounds
		}
		_ = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("suspect", func(ctx context.Context) error {
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					var tokens [tasks]*stm.Var[int]
					for i := range tokens {
						tokens[i] = registry.Owned(s, stm.NewVar(0).Label(fmt.Sprint("token", i)))
					}
					registry.Owned(s, moves)
					for i := range tasks {
						s.Go(fmt.Sprint(i), func(ctx context.Context) error {
							for {
								err := stm.Do(ctx, func(tx *stm.Tx) error {
									n := tokens[i].Get(tx)
									tx.Check(n > 0 && moves.Get(tx) < rounds)
									tokens[i].Set(tx, n-1)
									tokens[(i+1)%tasks].Update(tx, func(n int) int { return n + 1 })
									moves.Update(tx, func(n int) int { return n + 1 })
									return nil
								})
								if err != nil {
									return err
								}
							}
						})
					}
					return stm.Do(ctx, func(tx *stm.Tx) error { tokens[0].Set(tx, 1); return nil })
				}, registry.WithName("suspect"))
			})
			for !done {
				look(s)
				if err := env.Sleep(ctx, 0); err != nil {
					return err
				}
				runtime.Gosched()
			}
			return errBoom
		})
		require.Equal(t, rounds, deadAt, "found in the end")
	}
	bothWorlds(t, program)
	for range 20 {
		program(context.Background(), t)
	}
}
