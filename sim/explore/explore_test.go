package explore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/explore"
	"github.com/synodkit/synod/stm"
)

// spawner starts tasks and waits for them.
type spawner func(ctx context.Context, tasks ...func(ctx context.Context)) error

func bySeam(ctx context.Context, tasks ...func(ctx context.Context)) error {
	var joins []func()
	for i, f := range tasks {
		joins = append(joins, seam.From(ctx).Spawn(fmt.Sprint(i), func() { f(ctx) }))
	}
	for _, join := range joins {
		join()
	}
	return nil
}

func byRegistry(ctx context.Context, tasks ...func(ctx context.Context)) error {
	return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
		for i, f := range tasks {
			s.Go(fmt.Sprint(i), func(ctx context.Context) error { f(ctx); return nil })
		}
		return nil
	})
}

// philosophers take a fork on either side; ordered, they take the lower one first.
func philosophers(n int, ordered bool, start spawner) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		var forks []*stm.Var[bool]
		for i := range n {
			forks = append(forks, stm.NewVar(false).Label(fmt.Sprint("fork ", i)))
		}
		set := func(ctx context.Context, i int, taken bool) {
			_ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(forks[i].Get(tx) != taken); forks[i].Set(tx, taken); return nil })
		}
		var tasks []func(ctx context.Context)
		for i := range n {
			a, b := i, (i+1)%n
			if ordered {
				a, b = min(a, b), max(a, b)
			}
			tasks = append(tasks, func(ctx context.Context) {
				set(ctx, a, true)
				set(ctx, b, true)
				set(ctx, a, false)
				set(ctx, b, false)
			})
		}
		return start(ctx, tasks...)
	}
}

func TestPhilosophers(t *testing.T) {
	for name, start := range map[string]spawner{"seam": bySeam, "registry": byRegistry} {
		for n := 2; n <= 5; n++ {
			res, err := explore.All(philosophers(n, false, start), explore.Config{})
			require.NoError(t, err)
			require.NotNil(t, res.Failed, "%s %d", name, n)
			var d *sim.DeadlockError
			require.ErrorAs(t, res.Failed.Err, &d)
			require.Less(t, res.Runs, 5_000)
			t.Log(name, n, "broken:", res.Runs, "runs", res.Cut, "cut", res.Schedule)

			again := sim.Run(1, philosophers(n, false, start), sim.With(sim.Replay(res.Schedule)))
			require.Equal(t, res.Failed.Err.Error(), again.Err.Error())

			res, err = explore.All(philosophers(n, true, start), explore.Config{})
			require.NoError(t, err)
			require.Nil(t, res.Failed)
			require.True(t, res.Complete)
			t.Log(name, n, "ordered:", res.Runs, "runs", res.Cut, "cut")
		}
	}
}

func ExampleAll() {
	lost := func(ctx context.Context) error {
		v := stm.NewVar(0)
		err := byRegistry(ctx, func(ctx context.Context) { addBadly(ctx, v) }, func(ctx context.Context) { addBadly(ctx, v) })
		if n := v.Load(ctx); n != 2 {
			return fmt.Errorf("%d after two additions", n)
		}
		return err
	}
	res, err := explore.All(lost, explore.Config{})
	fmt.Println(res.Runs, res.Failed.Err, err)
	fmt.Println(res.Schedule)
	// Output:
	// 2 1 after two additions <nil>
	// 0*1,0.1*1,0.2*2,0.1*1,0*5
}

func addBadly(ctx context.Context, v *stm.Var[int]) {
	n := v.Load(ctx) // the planted bug: read and write are two transactions
	_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, n+1); return nil })
}

var errBoth = errors.New("both")

// All values of all choices are tried, with all schedules of each.
func TestChoices(t *testing.T) {
	seen := map[string]bool{}
	res, err := explore.All(func(ctx context.Context) error {
		v := stm.NewVar("")
		choose := func(name string) func(ctx context.Context) {
			return func(ctx context.Context) {
				k := env.Choose(ctx, name, 2)
				_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, v.Get(tx)+fmt.Sprint(name, k)); return nil })
			}
		}
		err := bySeam(ctx, choose("a"), choose("b"))
		seen[v.Load(ctx)] = true
		return err
	}, explore.Config{})
	require.NoError(t, err)
	require.True(t, res.Complete)
	require.Len(t, seen, 8)
}

// A program that is no function of its schedule is found out.
func TestDivergence(t *testing.T) {
	runs := 0
	_, err := explore.All(func(ctx context.Context) error {
		runs++
		v, w := stm.NewVar(0), stm.NewVar(0)
		return bySeam(ctx, func(ctx context.Context) {
			if runs > 1 {
				v.Load(ctx)
			}
			addBadly(ctx, w)
		}, func(ctx context.Context) { addBadly(ctx, w) })
	}, explore.Config{})
	require.ErrorIs(t, err, explore.ErrDiverged)
}

func TestBounds(t *testing.T) {
	res, err := explore.All(philosophers(4, true, bySeam), explore.Config{RunsMax: 3})
	require.NoError(t, err)
	require.Equal(t, 3, res.Runs)
	require.False(t, res.Complete)
}

func TestStandardContextsAreRefused(t *testing.T) {
	res, err := explore.All(func(ctx context.Context) error {
		c, cancel := context.WithCancel(ctx)
		defer cancel()
		return stm.Do(c, func(tx *stm.Tx) error { tx.Retry(); return errBoth })
	}, explore.Config{})
	require.NoError(t, err)
	require.ErrorContains(t, res.Failed.Err, "env.WithCancel")
}

func BenchmarkExplore(b *testing.B) {
	for name, start := range map[string]spawner{"seam": bySeam, "registry": byRegistry} {
		b.Run("spawn="+name, func(b *testing.B) {
			runs := 0
			for b.Loop() {
				res, err := explore.All(philosophers(4, true, start), explore.Config{})
				if err != nil || !res.Complete {
					b.Fatal(err, res)
				}
				runs += res.Runs
			}
			b.ReportMetric(float64(runs)/b.Elapsed().Seconds(), "runs/s")
		})
	}
}
