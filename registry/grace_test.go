package registry_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

// deaf waits for v and does not look at ctx.
func deaf(ctx context.Context, v *stm.Var[bool]) error {
	return stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error { tx.Check(v.Get(tx)); return nil })
}

func TestGraceInTime(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var h history
		var within context.Context
		require.ErrorIs(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			_, err := registry.Acquire(s, "x", func(context.Context) (int, error) { return 0, nil }, func(ctx context.Context, _ int) error {
				_, bounded := ctx.Deadline()
				require.True(t, bounded, "a release has the grace and no more")
				within = ctx
				h.add("x")
				return nil
			})
			require.NoError(t, err)
			s.Go("t", func(ctx context.Context) error { defer h.add("t"); return never(ctx) })
			return errBoom
		}, registry.WithGrace(time.Minute)), errBoom)
		require.Equal(t, "t x", h.String())
		require.ErrorIs(t, within.Err(), context.Canceled, "nor does its timer live on")
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("t", func(ctx context.Context) error { return env.Sleep(ctx, 3*time.Millisecond) })
			return nil
		}, registry.WithGrace(time.Millisecond)), "the grace begins when tasks are told to end")
	})
}

// A stuck task is named, and stays owned by the parent, as does what is older than it.
func TestStuckTaskIsHandedToTheParent(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		var h history
		open := stm.NewVar(false)
		var events trace.Recorder[registry.Event]
		err := registry.Run(ctx, func(ctx context.Context, outer *registry.Scope) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				_, err := registry.Acquire(s, "older", func(context.Context) (int, error) { return 0, nil },
					func(context.Context, int) error { h.add("older"); return errOther })
				require.NoError(t, err)
				s.Go("deaf", func(ctx context.Context) error { defer h.add("deaf"); return deaf(ctx, open) })
				s.Go("good", func(ctx context.Context) error { return never(ctx) })
				return errBoom
			}, registry.WithGrace(5*time.Millisecond), registry.WithName("inner"))
			h.add("returned")
			require.ErrorIs(t, err, errBoom)
			var stuck *registry.StuckError
			require.ErrorAs(t, err, &stuck)
			require.Equal(t, "outer/inner", stuck.Scope)
			require.Len(t, stuck.Left, 1)
			require.Equal(t, "deaf", stuck.Left[0].Name)
			require.Contains(t, err.Error(), "grace_test.go")
			tree := registry.Dump(outer)
			require.Contains(t, tree.String(), "closing inner")
			require.Less(t, tree.Below[0].Age, time.Minute)
			return stm.Do(ctx, func(tx *stm.Tx) error { open.Set(tx, true); return nil })
		}, registry.WithName("outer"), registry.WithTracer(events.Tracer()))
		require.ErrorIs(t, err, errOther, "the parent gets late failures")
		require.False(t, errors.Is(err, errBoom), "but not those that Run returned")
		require.Equal(t, "returned deaf older", h.String())
		var overdue []registry.Event
		for _, e := range events.Events() {
			if e.What == "overdue" {
				overdue = append(overdue, e)
			}
		}
		require.Len(t, overdue, 1)
		require.Equal(t, "outer/inner", overdue[0].Scope)
		require.Equal(t, 5*time.Millisecond, overdue[0].Age)
		var stuck *registry.StuckError
		require.ErrorAs(t, overdue[0].Err, &stuck)
		last := events.Events()[len(events.Events())-1]
		require.Equal(t, "ended", last.What)
		require.Equal(t, "outer", last.Scope)
	})
}

func TestStuckRelease(t *testing.T) {
	bothWorlds(t, func(ctx context.Context, t require.TestingT) {
		open := stm.NewVar(false)
		require.NoError(t, registry.Run(ctx, func(ctx context.Context, _ *registry.Scope) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				_, err := registry.Acquire(s, "db", func(context.Context) (int, error) { return 0, nil },
					func(ctx context.Context, _ int) error { return deaf(ctx, open) })
				return err
			}, registry.WithGrace(time.Millisecond))
			var stuck *registry.StuckError
			require.ErrorAs(t, err, &stuck)
			require.Len(t, stuck.Left, 1)
			require.Equal(t, "in release", stuck.Left[0].State)
			return stm.Do(ctx, func(tx *stm.Tx) error { open.Set(tx, true); return nil })
		}))
	})
}

// Without a grace the scope waits: the planted stuck task is a deadlock that the simulator names.
func TestWithoutGraceRunWaits(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("deaf", func(ctx context.Context) error { return deaf(ctx, stm.NewVar(false).Label("key")) })
			return errBoom
		})
	})
	var d *sim.DeadlockError
	require.ErrorAs(t, r.Err, &d)
	require.Contains(t, r.Err.Error(), "the end of task deaf")
	require.Contains(t, r.Err.Error(), "key")
}
