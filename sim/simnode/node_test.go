package simnode_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnode"
	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

func add(ctx context.Context, v *stm.Var[int], n int) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, v.Get(tx)+n); return nil })
}

// haunted is a node that leaves nothing undone to come back: deferred transactions, timers, callbacks, waiters, contexts.
func haunted(world context.Context, alive, ghost, never *stm.Var[int]) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		free := env.WithoutCancel(ctx)
		haunt := func() { add(free, ghost, 1) }
		defer haunt()
		env.AfterFunc(ctx, haunt)
		env.AfterFunc(world, haunt)
		short, cancel := env.WithTimeout(free, 20*time.Millisecond)
		env.AfterFunc(short, haunt)
		defer cancel()
		std, stop := context.WithCancel(ctx)
		env.AfterFunc(std, haunt)
		defer stop()
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			_, err := registry.Acquire(s, "thing", func(context.Context) (int, error) { return 1, nil },
				func(context.Context, int) error { haunt(); return nil })
			if err != nil {
				return err
			}
			s.Go("sleeper", func(ctx context.Context) error {
				defer haunt()
				_ = env.Sleep(free, 30*time.Millisecond)
				haunt()
				return nil
			})
			s.Go("waiter", func(ctx context.Context) error {
				_ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(never.Get(tx) > 0); ghost.Set(tx, 100); return nil })
				return nil
			})
			for {
				add(ctx, alive, 1)
				if err := env.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
		})
	}
}

// exorcism ends a haunted node's life by end and looks for ghosts.
func exorcism(end func(ctx context.Context, n *simnode.Node) error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		alive, ghost, never := stm.NewVar(0).Label("alive"), stm.NewVar(0).Label("ghost"), stm.NewVar(0).Label("never")
		outer, cancel := env.WithCancel(ctx)
		n := simnode.New(ctx, "n", simnode.Clock{})
		if err := n.Start(outer, haunted(outer, alive, ghost, never)); err != nil {
			return err
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(alive.Get(tx) > 4); return nil }); err != nil {
			return err
		}
		if err := end(ctx, n); err != nil {
			return err
		}
		was := alive.Load(ctx)
		cancel()
		add(ctx, never, 1)
		if err := env.Sleep(ctx, time.Second); err != nil {
			return err
		}
		if g, a := ghost.Load(ctx), alive.Load(ctx); g != 0 || a != was {
			return fmt.Errorf("%d ghosts, %d signs of life", g, a-was)
		}
		return nil
	}
}

func crash(ctx context.Context, n *simnode.Node) error {
	err := n.Crash(ctx)
	if err == nil {
		if err = n.Wait(ctx); errors.Is(err, simnode.ErrCrashed) {
			return nil
		}
	}
	return fmt.Errorf("after Crash: %w", err)
}

// A task of a dead life can do nothing more; planted, a polite end leaves ghosts.
func TestADeadLifeDoesNothing(t *testing.T) {
	for seed := range uint64(100) {
		a := sim.Run(seed, exorcism(crash))
		require.NoError(t, a.Err)
		require.Equal(t, a.Hash, sim.Run(seed, exorcism(crash), sim.Races()).Hash)
		polite := sim.Run(seed, exorcism(func(ctx context.Context, n *simnode.Node) error {
			if err := n.Stop(ctx, errors.New("please")); !errors.Is(err, context.Canceled) {
				return err
			}
			return nil
		}))
		require.ErrorContains(t, polite.Err, "ghosts")
	}
	simtest.Check(t, exorcism(crash), simtest.Runs(60))
}

// A crash is always between transactions, and at any of them.
func TestCrashAnywhere(t *testing.T) {
	reached := map[int]bool{}
	res := simtest.Explore(t, func(ctx context.Context) error {
		a, b := stm.NewVar(0), stm.NewVar(0)
		n := simnode.New(ctx, "n", simnode.Clock{})
		err := n.Start(ctx, func(ctx context.Context) error {
			for range 3 {
				if err := stm.Do(ctx, func(tx *stm.Tx) error { a.Set(tx, a.Get(tx)+1); b.Set(tx, a.Get(tx)); return nil }); err != nil {
					return err
				}
			}
			return nil
		})
		if err := errors.Join(err, n.Crash(ctx)); err != nil {
			return err
		}
		whole, err := stm.Query(ctx, func(tx *stm.Tx) bool { return a.Get(tx) == b.Get(tx) })
		if reached[a.Load(ctx)] = true; !whole {
			return errors.New("half a transaction")
		}
		return err
	})
	require.Greater(t, res.Runs, 3)
	require.Equal(t, map[int]bool{0: true, 1: true, 2: true, 3: true}, reached)
}

func TestLives(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		n, lives := simnode.New(ctx, "n", simnode.Clock{}), stm.NewVar(0)
		if err := errors.Join(n.Crash(ctx), n.Stop(ctx, nil), n.Wait(ctx)); err != nil {
			return err
		}
		suicide := func(ctx context.Context) error {
			add(ctx, lives, 1)
			_ = n.Crash(ctx)
			add(ctx, lives, 100)
			return nil
		}
		boom := errors.New("boom")
		for i, f := range []func(ctx context.Context) error{suicide, suicide, func(ctx context.Context) error { return boom }} {
			if err := n.Start(ctx, f); err != nil {
				return err
			}
			if err := n.Wait(ctx); !errors.Is(err, []error{simnode.ErrCrashed, simnode.ErrCrashed, boom}[i]) {
				return fmt.Errorf("life %d: %w", i, err)
			}
		}
		err := n.Start(ctx, func(ctx context.Context) error { return env.Sleep(ctx, time.Hour) })
		if again := n.Start(ctx, suicide); err != nil || !errors.Is(again, simnode.ErrUp) {
			return fmt.Errorf("started again: %w, %w", err, again)
		}
		if err := n.Crash(ctx); err != nil {
			return err
		}
		return stm.Do(ctx, func(tx *stm.Tx) error {
			if n.Lives(tx) != 4 || n.Up(tx) || lives.Get(tx) != 2 {
				return fmt.Errorf("%d lives, up %v, %d suicides", n.Lives(tx), n.Up(tx), lives.Get(tx))
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
	require.PanicsWithValue(t, "simnode: New outside of a simulation", func() { simnode.New(context.Background(), "n", simnode.Clock{}) })
}

// A life that survives its crash by recovering from everything is an error, not a hang.
func TestRecoveringFromEverything(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		n, v := simnode.New(ctx, "n", simnode.Clock{}), stm.NewVar(0)
		stubborn := func(ctx context.Context) error {
			for {
				func() {
					defer func() { _ = recover() }()
					add(ctx, v, 1)
				}()
			}
		}
		return errors.Join(n.Start(ctx, stubborn), env.Sleep(ctx, 0), n.Crash(ctx))
	})
	require.ErrorContains(t, r.Err, "recovers from everything")
}
