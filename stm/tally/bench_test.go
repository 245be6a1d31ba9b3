package tally_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/tally"
)

// BenchmarkAdd: goroutines that add to one number. runs/op is how often a transaction ran: more than 1 are conflicts.
func BenchmarkAdd(b *testing.B) {
	ctx := context.Background()
	c, v := tally.New(), stm.NewVar[int64](0)
	var mu sync.Mutex
	var locked int64
	var free atomic.Int64
	impls := []struct {
		name string
		add  func(runs *int)
	}{
		{"synod", func(runs *int) {
			_ = stm.Do(ctx, func(tx *stm.Tx) error {
				*runs++
				c.Add(tx, 1)
				return nil
			})
		}},
		{"var", func(runs *int) {
			_ = stm.Do(ctx, func(tx *stm.Tx) error {
				*runs++
				v.Set(tx, v.Get(tx)+1)
				return nil
			})
		}},
		{"mutex", func(runs *int) {
			mu.Lock()
			locked++
			mu.Unlock()
			*runs++
		}},
		{"atomic", func(runs *int) {
			free.Add(1)
			*runs++
		}},
	}
	for _, goroutines := range []int{1, 2, 8} {
		for _, impl := range impls {
			b.Run(fmt.Sprintf("goroutines=%d/impl=%s", goroutines, impl.name), func(b *testing.B) {
				b.ReportAllocs()
				var wg sync.WaitGroup
				var all atomic.Int64
				for range goroutines {
					wg.Go(func() {
						runs := 0
						for range b.N/goroutines + 1 {
							impl.add(&runs)
						}
						all.Add(int64(runs))
					})
				}
				wg.Wait()
				b.ReportMetric(float64(all.Load())/float64(b.N/goroutines+1)/float64(goroutines), "runs/op")
			})
		}
	}
}

// BenchmarkValue: what reading costs.
func BenchmarkValue(b *testing.B) {
	ctx := context.Background()
	c, v := tally.New(), stm.NewVar[int64](0)
	b.Run("impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = stm.Query(ctx, c.Value)
		}
	})
	b.Run("impl=var", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = stm.Query(ctx, v.Get)
		}
	})
}
