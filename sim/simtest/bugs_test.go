package simtest_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

var errLost = errors.New("lost update")

// start runs tasks in a scope.
func start(ctx context.Context, tasks ...func(ctx context.Context) error) error {
	return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		for i, f := range tasks {
			s.Go(fmt.Sprint("task ", i), f)
		}
		return nil
	})
}

func set[T any](ctx context.Context, v *stm.Var[T], x T) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, x); return nil })
}

// noise is n steps that nobody else sees.
func noise(ctx context.Context, n int) error {
	own := stm.NewVar(0)
	for i := range n {
		if err := set(ctx, own, i); err != nil {
			return err
		}
	}
	return nil
}

// lostUpdate reads and writes in two transactions.
func lostUpdate(tasks, before int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		v := stm.NewVar(0).Label("balance")
		var fs []func(ctx context.Context) error
		for range tasks {
			fs = append(fs, func(ctx context.Context) error {
				_ = noise(ctx, before)
				n := v.Load(ctx)
				return set(ctx, v, n+1)
			})
		}
		err := start(ctx, fs...)
		if v.Load(ctx) != tasks {
			return errLost
		}
		return err
	}
}

// lockOrder is the philosophers' deadlock.
func lockOrder(n int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		var forks []*stm.Var[bool]
		var fs []func(ctx context.Context) error
		for i := range n {
			forks = append(forks, stm.NewVar(false).Label(fmt.Sprint("fork ", i)))
		}
		take := func(ctx context.Context, f *stm.Var[bool], taken bool) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(f.Get(tx) != taken); f.Set(tx, taken); return nil })
		}
		for i := range n {
			a, b := forks[i], forks[(i+1)%n]
			fs = append(fs, func(ctx context.Context) error {
				return errors.Join(take(ctx, a, true), take(ctx, b, true), take(ctx, a, false), take(ctx, b, false))
			})
		}
		return start(ctx, fs...)
	}
}

// missedWakeUp looks at a flag in one transaction and begins to wait for a signal in another: a signal between the two
// goes by. Noise before it makes the window small.
func missedWakeUp(steps int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		ready, waiting, signal := stm.NewVar(false).Label("ready"), stm.NewVar(false).Label("waiting"), stm.NewVar(false).Label("signal")
		return start(ctx, func(ctx context.Context) error {
			if ready.Load(ctx) {
				return nil
			}
			if err := set(ctx, waiting, true); err != nil { // the planted bug: not with the look at ready
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(signal.Get(tx)); return nil })
		}, func(ctx context.Context) error {
			_ = noise(ctx, steps)
			if err := set(ctx, ready, true); err != nil {
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error { signal.Set(tx, waiting.Get(tx)); return nil })
		})
	}
}

// tornRead needs three steps in order: a reader sees the first of two writes, then the second, then neither's undoing.
func tornRead(before int) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		a, b := stm.NewVar(0).Label("a"), stm.NewVar(0).Label("b")
		torn := false
		err := start(ctx, func(ctx context.Context) error {
			_ = noise(ctx, before)
			for _, x := range []int{1, 2} {
				if err := errors.Join(set(ctx, a, x), set(ctx, b, x)); err != nil {
					return err
				}
			}
			return nil
		}, func(ctx context.Context) error {
			_ = noise(ctx, before)
			x := a.Load(ctx)
			y := b.Load(ctx)
			z := a.Load(ctx)
			torn = x == 1 && y == 0 && z == 2
			return nil
		})
		if torn {
			return errLost
		}
		return err
	}
}
