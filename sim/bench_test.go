package sim_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// The same step, a transaction that adds to a Var and a change of tasks, here and by goroutines in a bubble of
// testing/synctest that a seed lets go on one at a time.
func BenchmarkStep(b *testing.B) {
	for _, n := range []int{1, 5} {
		b.Run(fmt.Sprintf("engine=sim/tasks=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			r := sim.Run(1, func(ctx context.Context) error {
				v := stm.NewVar(0)
				var joins []func()
				for range n {
					joins = append(joins, seam.From(ctx).Spawn("adder", func() {
						f := inc(v)
						for range b.N/n + 1 {
							_ = stm.Do(ctx, f)
						}
					}))
				}
				for _, j := range joins {
					j()
				}
				return nil
			}, sim.StepsMax(1<<60))
			if r.Err != nil {
				b.Fatal(r.Err)
			}
		})
	}
	b.Run("engine=synctest/tasks=5", func(b *testing.B) {
		b.ReportAllocs()
		synctest.Test(&testing.T{}, func(*testing.T) { turns(b.N, 5) })
	})
}

// turns is n transactions by goroutines of which one at a time may go on, chosen by a seed.
func turns(n, goroutines int) {
	ctx, v, r := context.Background(), stm.NewVar(0), rand.New(rand.NewPCG(1, 1))
	turn, done := make([]chan bool, goroutines), make(chan bool)
	var wg sync.WaitGroup
	for i := range turn {
		turn[i] = make(chan bool)
		wg.Go(func() {
			f := inc(v)
			for range turn[i] {
				_ = stm.Do(ctx, f)
				done <- true
			}
		})
	}
	for range n {
		turn[r.IntN(goroutines)] <- true
		<-done
	}
	for i := range turn {
		close(turn[i])
	}
	wg.Wait()
}

// Five tasks that wake every second.
func BenchmarkHeartbeats(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		r := sim.Run(1, func(ctx context.Context) error {
			var joins []func()
			for range 5 {
				joins = append(joins, seam.From(ctx).Spawn("heart", func() {
					beats := stm.NewVar(0)
					for range 3600 {
						_ = sleep(ctx, time.Second)
						_ = stm.Do(ctx, inc(beats))
					}
				}))
			}
			for _, j := range joins {
				j()
			}
			return nil
		})
		if r.Err != nil || r.Elapsed != time.Hour {
			b.Fatal(r.Err, r.Elapsed)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "hours/s")
}
