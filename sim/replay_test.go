package sim_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// oldest is the least of schedulers.
type oldest struct{}

func (oldest) Pick(ready []*sim.Task, _ int) int {
	best := 0
	for i, t := range ready {
		if t.Older(ready[best]) {
			best = i
		}
	}
	return best
}

// A recorded schedule, followed, is the same run; cut anywhere, it is still a run.
func TestReplayIsTheSameRun(t *testing.T) {
	for seed := range uint64(50) {
		want := sim.Run(seed, program, sim.With(&first{}), sim.Record())
		require.NoError(t, want.Err)
		f := sim.Replay(want.Schedule)
		got := sim.Run(seed, program, sim.With(f), sim.Record())
		require.Equal(t, want, got)
		require.Empty(t, f.Diverged())
		half := want.Schedule
		half.Segments = half.Segments[:len(half.Segments)/2]
		require.NoError(t, sim.Run(seed, program, sim.With(sim.Replay(half))).Err)
		half.Segments = want.Schedule.Segments[len(half.Segments):]
		require.NoError(t, sim.Run(seed, program, sim.With(sim.Replay(half))).Err)
	}
}

// first takes tasks in an order of its own.
type first struct{ n int }

func (f *first) Pick(ready []*sim.Task, _ int) int { f.n += 7; return f.n % len(ready) }

func TestPathsAreStable(t *testing.T) {
	paths := func(s sim.Scheduler) map[string]string {
		m := map[string]string{}
		o := &watcher{Scheduler: s, took: func(s *sim.Step) { m[s.Task.Path()] = s.Task.Name() }}
		require.NoError(t, sim.Run(1, program, sim.With(o)).Err)
		return m
	}
	want := paths(oldest{})
	require.Equal(t, "main", want["0"])
	require.Equal(t, "producer1", want["0.2"])
	require.Equal(t, want, paths(&first{}))
}

type watcher struct {
	sim.Scheduler
	took func(s *sim.Step)
}

func (w *watcher) Took(s *sim.Step) { w.took(s) }

func TestScheduleText(t *testing.T) {
	for _, text := range []string{"", "0*1", "0*1,0.12.3*44", "0*1;0,3,1", ";2"} {
		s, err := sim.ParseSchedule(text)
		require.NoError(t, err, text)
		require.Equal(t, text, s.String())
	}
	for _, text := range []string{"x", "0", "0*0", "0*-1", "1*1", "0.0*1", "0.01*1", "0..1*1", "0*1,", ",", "0*1;x", "0*1;-1", "0*1;1,"} {
		_, err := sim.ParseSchedule(text)
		require.ErrorContains(t, err, "not a schedule", text)
	}
}

func FuzzParseSchedule(f *testing.F) {
	f.Add("0*1,0.2*3;1")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := sim.ParseSchedule(text)
		if err != nil {
			return
		}
		again, err := sim.ParseSchedule(s.String())
		require.NoError(t, err)
		require.Equal(t, s, again)
	})
}

var errDisk = errors.New("disk full")

// A fault fires with its probability, is counted, and comes again in a replay.
func TestFail(t *testing.T) {
	scenario := func(ctx context.Context) error {
		for range 100 {
			if err := env.Fault(ctx, "disk"); err != nil && !errors.Is(err, errDisk) {
				return err
			}
		}
		return nil
	}
	r := sim.Run(1, scenario, sim.Fail("disk", errDisk, 0.3), sim.Fail("net", errDisk, 1))
	require.NoError(t, r.Err)
	require.InDelta(t, 30, r.Faults["disk"], 20)
	require.Zero(t, r.Faults["net"])
	require.Equal(t, r, sim.Run(1, scenario, sim.Fail("disk", errDisk, 0.3), sim.Fail("net", errDisk, 1)))
}

// Under Alone, ids follow from who made a Var, not from who touched it first.
func TestIDsOfAWorldAlone(t *testing.T) {
	ids := func(s sim.Scheduler, opts ...sim.Option) map[string][]uint32 {
		m := map[string][]uint32{}
		w := &watcher{Scheduler: s, took: func(s *sim.Step) { m[s.Task.Name()] = append(m[s.Task.Name()], s.Writes...) }}
		r := sim.Run(1, func(ctx context.Context) error {
			a, b := stm.NewVar(0), stm.NewVar(0)
			x := seam.From(ctx).Spawn("a", func() { _ = stm.Do(ctx, inc(a)) })
			y := seam.From(ctx).Spawn("b", func() { _ = stm.Do(ctx, inc(b)) })
			x()
			y()
			return nil
		}, append(opts, sim.With(w))...)
		require.NoError(t, r.Err)
		return m
	}
	require.Equal(t, ids(oldest{}, sim.Alone()), ids(&youngest{}, sim.Alone()))
	require.NotEqual(t, ids(oldest{}), ids(&youngest{}))
}

type youngest struct{}

func (youngest) Pick(ready []*sim.Task, _ int) int {
	best := 0
	for i, t := range ready {
		if ready[best].Older(t) {
			best = i
		}
	}
	return best
}

// A schedule is followed as far as it goes; then the task that runs goes on.
func ExampleReplay() {
	schedule, _ := sim.ParseSchedule("0*1,0.2*1")
	r := sim.Run(1, func(ctx context.Context) error {
		v := stm.NewVar("").Label("v")
		var joins []func()
		for _, name := range []string{"a", "b"} {
			joins = append(joins, seam.From(ctx).Spawn(name, func() {
				_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, v.Get(tx)+name); return nil })
			}))
		}
		for _, join := range joins {
			join()
		}
		fmt.Println(v.Load(ctx))
		return nil
	}, sim.With(sim.Replay(schedule)))
	fmt.Println(r.Err, r.Schedule)
	// Output:
	// ba
	// <nil> 0*1,0.2*1,0.1*1,0*3
}
