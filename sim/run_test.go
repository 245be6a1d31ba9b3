package sim_test

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

func TestDeadlockNamesTasksAndVars(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := seam.From(ctx)
		fork, knife := stm.NewVar(0).Label("fork"), stm.NewVar(0).Label("knife")
		join := w.Spawn("eater", func() {
			_ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(fork.Get(tx)+knife.Get(tx) > 0); return nil })
		})
		join()
		return nil
	})
	var d *sim.DeadlockError
	require.ErrorAs(t, r.Err, &d)
	require.Equal(t, []sim.Wait{{Task: "main", For: []string{"the end of task eater"}}, {Task: "eater", For: []string{"fork", "knife"}}}, d.Waiting)
	require.EqualError(t, r.Err, "sim: deadlock: main waits for the end of task eater; eater waits for fork, knife")
}

//go:noinline
func explode() { panic(errBoom) }

func TestTaskFailures(t *testing.T) {
	v := stm.NewVar(0)
	inTask := func(f func(ctx context.Context)) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			seam.From(ctx).Spawn("worker", func() { f(ctx) })
			return stm.Do(ctx, positive(stm.NewVar(0)))
		}
	}
	r := sim.Run(1, inTask(func(context.Context) { explode() }))
	var p *sim.PanicError
	require.ErrorAs(t, r.Err, &p)
	require.ErrorIs(t, r.Err, errBoom)
	require.Equal(t, "worker", p.Task)
	require.Contains(t, string(p.Stack), "sim_test.explode")

	r = sim.Run(1, inTask(func(ctx context.Context) { _ = stm.Do(ctx, func(*stm.Tx) error { explode(); return nil }) }))
	require.ErrorIs(t, r.Err, errBoom, "a panic in a transaction")

	r = sim.Run(1, inTask(func(context.Context) { runtime.Goexit() }))
	require.ErrorIs(t, r.Err, sim.ErrGoexit)
	require.ErrorContains(t, r.Err, "worker")

	r = sim.Run(1, func(ctx context.Context) error {
		return stm.Do(ctx, func(*stm.Tx) error { runtime.Goexit(); return nil })
	})
	require.ErrorIs(t, r.Err, sim.ErrGoexit)

	r = sim.Run(1, func(ctx context.Context) error {
		seam.From(ctx).Spawn("stray", func() { _ = stm.Do(ctx, positive(v)) })
		seam.From(ctx).Spawn("unborn", func() {})
		return nil
	})
	var l *sim.LeakError
	require.ErrorAs(t, r.Err, &l)
	require.Equal(t, []string{"stray", "unborn"}, l.Tasks)

	r = sim.Run(1, func(ctx context.Context) error {
		for {
			v.Load(ctx)
		}
	}, sim.StepsMax(1000))
	require.ErrorIs(t, r.Err, sim.ErrEndless)
	require.ErrorContains(t, r.Err, "main")

	r = sim.Run(1, func(context.Context) error { return errBoom })
	require.Equal(t, errBoom, r.Err)
}

// Tasks that are left at the end are unwound: their deferred functions run and can do nothing in the world.
func TestUnwinding(t *testing.T) {
	before := runtime.NumGoroutine()
	v := stm.NewVar(0)
	var deferred, late atomic.Int32 // every task counts
	for range 50 {
		r := sim.Run(1, func(ctx context.Context) error {
			w := seam.From(ctx)
			for range 20 {
				w.Spawn("parked", func() {
					defer deferred.Add(1)
					defer func() { _ = stm.Do(ctx, inc(v)); late.Add(1) }()
					defer func() { _ = recover() }() // swallows the kill
					_ = stm.Do(ctx, positive(stm.NewVar(0)))
				})
			}
			w.Spawn("exits", func() {
				defer runtime.Goexit()
				_ = stm.Do(ctx, positive(stm.NewVar(0)))
			})
			w.Spawn("stubborn", func() {
				for {
					func() {
						defer func() { _ = recover() }()
						_ = stm.Do(ctx, positive(stm.NewVar(0)))
					}()
				}
			})
			w.After(time.Hour, func() { late.Add(1) })
			_ = sleep(ctx, time.Minute)
			return errBoom
		})
		require.Equal(t, errBoom, r.Err)
	}
	require.EqualValues(t, 50*20, deferred.Load())
	require.Zero(t, late.Load())
	require.Zero(t, v.Load(context.Background()))
	for runtime.NumGoroutine() > before {
		runtime.Gosched() // the last loop goroutine is about to return
	}
}

func TestVirtualTime(t *testing.T) {
	start := time.Now()
	r := sim.Run(1, func(ctx context.Context) error {
		w := seam.From(ctx)
		t0 := w.Now()
		var fired atomic.Int32
		stop := w.After(2*time.Hour, func() { fired.Add(1) })
		if err := sleep(ctx, time.Hour); err != nil {
			return err
		}
		require.Equal(t, time.Hour, w.Now().Sub(t0))
		require.True(t, stop())
		require.False(t, stop())
		second := w.After(time.Hour, func() { fired.Add(1) })
		if err := sleep(ctx, 24*time.Hour); err != nil {
			return err
		}
		require.EqualValues(t, 1, fired.Load())
		require.False(t, second())
		return nil
	})
	require.NoError(t, r.Err)
	require.Equal(t, 25*time.Hour, r.Elapsed)
	require.Less(t, time.Since(start), time.Hour)
}

func TestFaults(t *testing.T) {
	hits := 0
	r := sim.Run(1, func(ctx context.Context) error {
		if err := seam.From(ctx).Fault("open"); err != nil {
			return err
		}
		return seam.From(ctx).Fault("write")
	}, sim.Faults(func(site string) error {
		hits++
		if site == "write" {
			return errBoom
		}
		return nil
	}), sim.Record())
	require.ErrorIs(t, r.Err, errBoom)
	require.Equal(t, 2, hits)
	require.Contains(t, r.Trace[0], "fails at write: boom")
}

// A context of a world is cancelled when the world ends: it does not turn into one of production.
func TestContextsEndWithTheWorld(t *testing.T) {
	var ctxs []context.Context
	r := sim.Run(1, func(ctx context.Context) error {
		a, _ := seam.WithCancel(ctx)
		b, _ := seam.WithTimeout(a, time.Hour)
		c, never := context.WithCancel(b)
		_ = never // the world ends it
		d, _ := seam.WithCancel(c)
		ctxs = append(ctxs, ctx, a, b, c, d)
		seam.AfterFunc(d, func() { t.Error("the world is over") })
		return nil
	})
	require.NoError(t, r.Err)
	for i, ctx := range ctxs {
		require.ErrorIs(t, ctx.Err(), context.Canceled, i)
		err := stm.Do(ctx, positive(stm.NewVar(0)))
		require.True(t, errors.Is(err, context.Canceled), err)
	}
}
