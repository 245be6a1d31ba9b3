package sim_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// spinGC runs the garbage collector all the time.
func spinGC(t *testing.T) {
	var wg sync.WaitGroup
	stop := make(chan struct{})
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	})
	t.Cleanup(func() { close(stop); wg.Wait() })
}

// The same seed gives the same run, to the bit; another seed gives another.
func TestSameSeedSameTrace(t *testing.T) {
	want := sim.Run(7, program)
	require.NoError(t, want.Err)
	require.NotZero(t, want.Steps)
	spinGC(t)
	for _, procs := range []int{1, 2} {
		t.Run(fmt.Sprint("procs=", procs), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(procs))
			for range 100 {
				require.Equal(t, want, sim.Run(7, program))
			}
		})
	}
	hashes := map[uint64]bool{}
	seeds := long.N(300, 10_000)
	for seed := range uint64(seeds) {
		r := sim.Run(seed, program)
		require.NoError(t, r.Err)
		require.Equal(t, r, sim.Run(seed, program), "seed %d", seed)
		hashes[r.Hash] = true
	}
	require.Len(t, hashes, seeds)
}

// The hash is the same on every machine and with either backend: this test also runs under the race detector. A change of the engine changes
// it, and is to be made on purpose.
func TestHashIsTheSameEverywhere(t *testing.T) {
	require.Equal(t, uint64(0x5558c1481320050f), sim.Run(7, program).Hash)
	require.Equal(t, uint64(0xa3431e0bdacb8ce7), sim.Run(7, program, sim.With(&first{})).Hash)
	for seed := range uint64(30) {
		require.Equal(t, sim.Run(seed, program, sim.Record()), sim.Run(seed, program, sim.Record(), sim.Races()))
	}
}

func TestTraceIsText(t *testing.T) {
	a, b, c := sim.Run(1, program, sim.Record()), sim.Run(1, program, sim.Record()), sim.Run(2, program, sim.Record())
	require.Equal(t, a, b)
	require.NotEqual(t, a.Trace, c.Trace)
	require.Len(t, a.Trace, a.Steps)
	require.Equal(t, a.Hash, sim.Run(1, program).Hash, "recording changes nothing")
	all := strings.Join(a.Trace, "\n")
	for _, part := range []string{"main: starts producer0", "reads queue writes queue", "waits", "wakes main", "chooses rest=", "joins watcher"} {
		require.Contains(t, all, part)
	}
}

// The hash covers what steps do: changing one effect, one choice or one delay changes it.
func TestHashCoversSteps(t *testing.T) {
	run := func(delay time.Duration, twice, choose bool) uint64 {
		r := sim.Run(3, func(ctx context.Context) error {
			v := stm.NewVar(0)
			if err := sleep(ctx, delay); err != nil {
				return err
			}
			if choose {
				seam.From(ctx).Choose("x", 2)
			}
			return stm.Do(ctx, func(tx *stm.Tx) error {
				if twice {
					v.Get(tx)
				}
				return inc(v)(tx)
			})
		})
		require.NoError(t, r.Err)
		return r.Hash
	}
	hashes := []uint64{run(1, false, false), run(2, false, false), run(1, true, false), run(1, false, true)}
	slices.Sort(hashes)
	require.Len(t, slices.Compact(hashes), 4)
}

// Simulations side by side, and production beside them, do not disturb each other.
func TestParallelWorlds(t *testing.T) {
	want := sim.Run(3, program).Hash
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for range 50 {
				if r := sim.Run(3, program); r.Hash != want || r.Err != nil {
					t.Error(r.Hash, r.Err)
				}
			}
		})
	}
	turn := stm.NewVar(0)
	for me := range 2 {
		wg.Go(func() {
			for range 2_000 {
				err := stm.Do(context.Background(), func(tx *stm.Tx) error { tx.Check(turn.Get(tx)%2 == me); return inc(turn)(tx) })
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	require.Equal(t, 4_000, turn.Load(context.Background()))
}

// Timers of one instant go off in an order that the scheduler chooses.
func TestTimersOfOneInstant(t *testing.T) {
	orders := map[string]bool{}
	for seed := range uint64(100) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w, order := seam.From(ctx), stm.NewVar("")
			for i := range 3 {
				w.After(time.Second, func() {
					_ = stm.Do(ctx, func(tx *stm.Tx) error { order.Set(tx, order.Get(tx)+fmt.Sprint(i)); return nil })
				})
			}
			all, err := stm.Query(ctx, func(tx *stm.Tx) string { tx.Check(len(order.Get(tx)) == 3); return order.Get(tx) })
			orders[all] = true
			return err
		})
		require.NoError(t, r.Err)
		require.Equal(t, time.Second, r.Elapsed)
	}
	require.Len(t, orders, 6)
}

// Schedules differ enough that a lost update shows within a few seeds.
func TestSchedulesVary(t *testing.T) {
	lost := 0
	for seed := range uint64(50) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w, v := seam.From(ctx), stm.NewVar(0)
			var joins []func()
			for range 2 {
				joins = append(joins, w.Spawn("adder", func() {
					n := v.Load(ctx) // the planted bug: read and write in two transactions
					_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, n+1); return nil })
				}))
			}
			for _, j := range joins {
				j()
			}
			if v.Load(ctx) != 2 {
				return errBoom
			}
			return nil
		})
		if r.Err != nil {
			lost++
		}
	}
	require.Greater(t, lost, 5)
	require.Less(t, lost, 45)
}

// A timer that is stopped at its own instant either runs or was stopped, as stop says.
func TestStopAtTheSameInstant(t *testing.T) {
	outcomes := map[bool]int{}
	for seed := range uint64(60) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w := seam.From(ctx)
			var ran, stopped atomic.Bool
			first := make(chan func() bool, 1) // the first timer is to stop the second
			w.After(time.Second, func() { stopped.Store((<-first)()) })
			first <- w.After(time.Second, func() { ran.Store(true) })
			if err := sleep(ctx, 2*time.Second); err != nil {
				return err
			}
			require.NotEqual(t, ran.Load(), stopped.Load())
			outcomes[ran.Load()]++
			return nil
		})
		require.NoError(t, r.Err)
	}
	require.Len(t, outcomes, 2)
}

func TestRandComesFromTheSeed(t *testing.T) {
	draw := func(seed uint64) (n uint64) {
		r := sim.Run(seed, func(ctx context.Context) error { n = seam.From(ctx).Rand().Uint64(); return nil })
		require.NoError(t, r.Err)
		return n
	}
	require.Equal(t, draw(1), draw(1))
	require.NotEqual(t, draw(1), draw(2))
}
