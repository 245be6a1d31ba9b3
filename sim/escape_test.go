package sim_test

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// inTask runs f on a task called worker.
func inTask(f func(ctx context.Context)) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		seam.From(ctx).Spawn("worker", func() { f(ctx) })()
		return nil
	}
}

//go:noinline
func blockForever(ch chan int) { <-ch }

// A step that does not end is an error that names the task and the place.
func TestStuck(t *testing.T) {
	ch, stop := make(chan int), make(chan int)
	var mu sync.Mutex
	for name, c := range map[string]struct {
		place string
		f     func(ctx context.Context)
	}{
		"a Go channel": {"blockForever", func(context.Context) { blockForever(ch) }},
		"a mutex held across a scheduling point": {"Mutex", func(ctx context.Context) {
			held := stm.NewVar(0)
			seam.From(ctx).Spawn("holder", func() { mu.Lock(); _ = stm.Do(ctx, inc(held)); _ = stm.Do(ctx, positive(stm.NewVar(0))) })
			_ = stm.Do(ctx, positive(held))
			mu.Lock()
		}},
		"an endless loop": {"TestStuck", func(context.Context) {
			for {
				select {
				case <-stop:
					return
				default:
					runtime.Gosched()
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := sim.Run(1, inTask(c.f), sim.StuckAfter(400*time.Millisecond))
			var s *sim.StuckError
			require.ErrorAs(t, r.Err, &s)
			require.Equal(t, "worker", s.Task)
			require.Contains(t, s.Stack, c.place)
		})
	}
	close(ch)
	close(stop)
	mu.Unlock() // lets the lost task end
}

// A goroutine of a task's own is found when its step ends, even if it never touches the world.
func TestGuardFindsGoroutines(t *testing.T) {
	ch := make(chan int)
	start := func(ctx context.Context) {
		v := stm.NewVar(0)
		v.Load(ctx)
		go blockForever(ch)
		v.Load(ctx)
	}
	require.NoError(t, sim.Run(1, inTask(start)).Err)
	r := sim.Run(1, inTask(start), sim.Guard())
	close(ch)
	var e *sim.EscapeError
	require.ErrorAs(t, r.Err, &e)
	require.Equal(t, "worker", e.Task)
	require.Contains(t, e.Stack, "TestGuardFindsGoroutines")
	require.NoError(t, sim.Run(7, program, sim.Guard()).Err)
}

// In a bubble a sleep in real time is found however short, and a blocked channel at once.
func TestGuardInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		require.NoError(t, sim.Run(7, program, sim.Guard()).Err)
		r := sim.Run(1, inTask(func(context.Context) { <-time.NewTimer(time.Millisecond).C }), sim.Guard())
		var e *sim.EscapeError
		require.ErrorAs(t, r.Err, &e)
		require.ErrorContains(t, r.Err, "task worker slept 1ms in real time")

		ch := make(chan int)
		r = sim.Run(1, inTask(func(context.Context) { blockForever(ch) }), sim.Guard())
		var s *sim.StuckError
		require.ErrorAs(t, r.Err, &s)
		require.Contains(t, s.Stack, "blockForever")
		close(ch)
	})
}
