package property_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/explore"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/stm"
)

// explored takes all schedules of two tasks that write a Var each, under a property.
func explored(t *testing.T, p func(l lights) property.Property) explore.Result {
	res, err := explore.All(func(ctx context.Context) error {
		l := newLights()
		property.Watch(ctx, p(l))
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("red", func(ctx context.Context) error { set(ctx, l.red, false); return nil })
			s.Go("green", func(ctx context.Context) error { set(ctx, l.green, true); return nil })
			return nil
		})
	}, explore.Config{RunsMax: 1000, OnRun: func(r *sim.Report) error { return r.Err }})
	require.NoError(t, err)
	return res
}

// Steps that are independent of each other are not for who sees the state between them: each such state is found.
func TestExplorationSeesEveryState(t *testing.T) {
	for _, red := range []bool{true, false} {
		for _, green := range []bool{true, false} {
			res := explored(t, func(l lights) property.Property {
				return property.Never(fmt.Sprint(red, green), func(tx *stm.Tx) bool {
					r, g := l.red.Get(tx), l.green.Get(tx)
					return r == red && g == green
				})
			})
			require.NotNil(t, res.Failed, "%v %v", red, green)
			require.ErrorIs(t, res.Failed.Err, property.ErrViolated)
		}
	}
	res := explored(t, func(l lights) property.Property {
		return property.Always("true", func(tx *stm.Tx) bool { l.red.Get(tx); return true })
	})
	require.Nil(t, res.Failed)
	require.True(t, res.Complete)
}

// A predicate that reads now this, now that would leave out orders, and is refused.
func TestExplorationRefusesReadsThatVary(t *testing.T) {
	res := explored(t, func(l lights) property.Property {
		return property.Always("short", func(tx *stm.Tx) bool { return l.red.Get(tx) || l.green.Get(tx) || true })
	})
	require.NotNil(t, res.Failed)
	require.ErrorContains(t, res.Failed.Err, "must read the same Vars")
}

// Events are seen by exploration too: an ordinary task that asks for them finds each number there can be.
func TestExplorationSeesEvents(t *testing.T) {
	counts := map[int]bool{}
	res, err := explore.All(func(ctx context.Context) error {
		s := property.Record[event](ctx)
		tr, seen := s.Tracer(), stm.NewVar(-1)
		err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
			for i := range 2 {
				scope.Go(fmt.Sprint("teller", i), func(ctx context.Context) error {
					set(ctx, stm.NewVar(false), true)
					tr.Emit(ctx, event{Ask: i})
					return nil
				})
			}
			scope.Go("asker", func(ctx context.Context) error {
				n, err := stm.Query(ctx, func(tx *stm.Tx) int { return s.Count(tx, func(event) bool { return true }) })
				if err != nil {
					return err
				}
				return stm.Do(ctx, func(tx *stm.Tx) error { seen.Set(tx, n); return nil })
			})
			return nil
		})
		counts[seen.Load(ctx)] = true
		return err
	}, explore.Config{RunsMax: 1000})
	require.NoError(t, err)
	require.Nil(t, res.Failed)
	require.True(t, res.Complete)
	require.Equal(t, map[int]bool{0: true, 1: true, 2: true}, counts)
}
