package sim_test

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// elsewhere runs f on a goroutine of its own and makes its panic an error.
func elsewhere(f func()) error {
	ch := make(chan any)
	go func() {
		defer func() { ch <- recover() }()
		f()
	}()
	return fmt.Errorf("%v", <-ch)
}

// Each way out of a simulation that plain Go offers is an error that says what happened.
func TestTraps(t *testing.T) {
	v := stm.NewVar(0).Label("v")
	for name, c := range map[string]struct {
		want string
		f    func(ctx context.Context) error
	}{
		"context.Background": {"context without a world", func(context.Context) error { return stm.Do(context.Background(), inc(v)) }},
		"context.TODO":       {"context without a world", func(context.Context) error { v.Load(context.TODO()); return nil }},
		"context.WithTimeout": {"use env.WithTimeout", func(ctx context.Context) error {
			c, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			return stm.Do(c, positive(stm.NewVar(0)))
		}},
		"derived from context.WithTimeout": {"use env.WithTimeout", func(ctx context.Context) error {
			c, cancel := context.WithTimeout(ctx, time.Hour)
			defer cancel()
			seam.WithCancel(c)
			return nil
		}},
		"go": {"not its task", func(ctx context.Context) error { return elsewhere(func() { _ = stm.Do(ctx, inc(v)) }) }},
		"go, a cancel": {"not its task", func(ctx context.Context) error {
			_, cancel := seam.WithCancel(ctx)
			return elsewhere(func() { cancel(nil) })
		}},
		"context.AfterFunc": {"not its task", func(ctx context.Context) error {
			c, cancel := context.WithCancel(ctx)
			ch := make(chan any)
			context.AfterFunc(c, func() {
				defer func() { ch <- recover() }()
				_ = stm.Do(ctx, inc(v))
			})
			cancel()
			return fmt.Errorf("%v", <-ch)
		}},
		"iter.Pull": {"not its task", func(ctx context.Context) error {
			next, stop := iter.Pull(func(yield func(int) bool) { _ = stm.Do(ctx, inc(v)); yield(1) })
			defer stop()
			next()
			return nil
		}},
		"sim.Run": {"inside a simulated task", func(context.Context) error {
			return sim.Run(1, func(context.Context) error { return nil }).Err
		}},
		"nested transaction": {"inside a transaction body", func(ctx context.Context) error {
			return stm.Do(ctx, func(*stm.Tx) error { return stm.Do(ctx, inc(v)) }) //stmvet:ok the misuse that the simulation reports
		}},
		"time in a body": {"inside a transaction body", func(ctx context.Context) error {
			return stm.Do(ctx, func(*stm.Tx) error { seam.From(ctx).Now(); return nil })
		}},
		"cancel in a body": {"inside a transaction body", func(ctx context.Context) error {
			_, cancel := seam.WithCancel(ctx)
			return stm.Do(ctx, func(*stm.Tx) error { cancel(nil); return nil })
		}},
		"Retry with nothing read": {"nothing read", func(ctx context.Context) error {
			return stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { tx.Retry(); return nil })
		}},
		"a Var of a running world": {"Var v belongs to a running simulation", func(ctx context.Context) error {
			if err := stm.Do(ctx, inc(v)); err != nil {
				return err
			}
			return elsewhere(func() {
				_ = stm.Do(context.Background(), func(tx *stm.Tx) error { v.Get(tx); return stm.ErrRetry })
			})
		}},
		"a Var of another running world": {"Var v belongs to another running simulation", func(ctx context.Context) error {
			if err := stm.Do(ctx, inc(v)); err != nil {
				return err
			}
			return elsewhere(func() { panic(sim.Run(1, func(ctx context.Context) error { return stm.Do(ctx, inc(v)) }).Err) })
		}},
		"a Var changed from outside": {"changed from outside", func(ctx context.Context) error {
			x := stm.NewVar(0)
			return stm.Do(ctx, func(tx *stm.Tx) error {
				x.Get(tx)
				_ = elsewhere(func() { _ = stm.Do(context.Background(), inc(x)) }) //stmvet:ok the misuse that the simulation reports
				return nil
			})
		}},
	} {
		r := sim.Run(1, c.f)
		require.ErrorContains(t, r.Err, c.want, name)
	}
	var kept context.Context
	require.NoError(t, sim.Run(1, func(ctx context.Context) error { kept = context.WithoutCancel(ctx); return nil }).Err)
	require.ErrorContains(t, sim.Run(1, func(context.Context) error { return stm.Do(kept, inc(v)) }).Err, "has ended")
}

// A Var that a finished simulation has used belongs to nobody: the next one, or production, may take it over.
func TestVarsOutliveWorlds(t *testing.T) {
	v := stm.NewVar(0)
	for range 3 {
		require.NoError(t, sim.Run(1, func(ctx context.Context) error { return stm.Do(ctx, inc(v)) }).Err)
		require.NoError(t, stm.Do(context.Background(), inc(v)))
	}
	require.Equal(t, 6, v.Load(context.Background()))
}

type foreign struct {
	context.Context
	done chan struct{}
}

func (f foreign) Done() <-chan struct{} { return f.done }

// Contexts derived by the standard library from ours start no goroutine. One of a user's own with its own Done does:
// a limit that only a vet rule can see.
func TestDerivingStartsNoGoroutine(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		before := runtime.NumGoroutine()
		_, cancel := context.WithCancel(ctx)
		require.Equal(t, before, runtime.NumGoroutine())
		cancel()
		_, cancel = context.WithCancel(foreign{ctx, make(chan struct{})})
		require.Equal(t, before+1, runtime.NumGoroutine())
		cancel()
		return nil
	})
	require.NoError(t, r.Err)
}

// Production beside a simulation is not disturbed by the guard.
func TestProductionBeside(t *testing.T) {
	v := stm.NewVar(0)
	var wg sync.WaitGroup
	require.NoError(t, sim.Run(1, func(ctx context.Context) error {
		wg.Go(func() {
			for range 100 {
				_ = stm.Do(context.Background(), inc(v))
			}
		})
		wg.Wait()
		return sleep(ctx, time.Second)
	}).Err)
	require.Equal(t, 100, v.Load(context.Background()))
}
