package stm_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	oracle "github.com/anacrolix/stm"

	"github.com/synodkit/synod/stm"
)

// Benchmarks are named Op/key=value/impl=name; peers run in the same process, so that ratios mean something.

func perVars(b *testing.B, f func(b *testing.B, n int)) {
	for _, n := range []int{1, 2, 4, 8, 16} {
		b.Run(fmt.Sprint("vars=", n), func(b *testing.B) { f(b, n) })
	}
}

func BenchmarkReadOnly(b *testing.B) {
	ctx := context.Background()
	perVars(b, func(b *testing.B, n int) {
		b.Run("impl=synod", func(b *testing.B) {
			b.ReportAllocs()
			vs, _ := bothVars(n)
			for b.Loop() {
				_, _ = stm.Query(ctx, func(tx *stm.Tx) int {
					sum := 0
					for _, v := range vs {
						sum += v.Get(tx)
					}
					return sum
				})
			}
		})
		b.Run("impl=rwmutex", func(b *testing.B) {
			var mu sync.RWMutex
			vs, total := make([]int, n), 0
			for b.Loop() {
				mu.RLock()
				for _, v := range vs {
					total += v
				}
				mu.RUnlock()
			}
		})
		b.Run("impl=anacrolix", func(b *testing.B) {
			b.ReportAllocs()
			_, vs := bothVars(n)
			for b.Loop() {
				oracle.Atomically(func(tx *oracle.Tx) int {
					sum := 0
					for _, v := range vs {
						sum += v.Get(tx)
					}
					return sum
				})
			}
		})
	})
}

func BenchmarkReadWrite(b *testing.B) {
	ctx := context.Background()
	perVars(b, func(b *testing.B, n int) {
		b.Run("impl=synod", func(b *testing.B) {
			b.ReportAllocs()
			vs, _ := bothVars(n)
			for b.Loop() {
				_ = stm.Do(ctx, func(tx *stm.Tx) error {
					for _, v := range vs {
						v.Set(tx, v.Get(tx)+1)
					}
					return nil
				})
			}
		})
		b.Run("impl=mutex", func(b *testing.B) {
			var mu sync.Mutex
			vs := make([]int, n)
			for b.Loop() {
				mu.Lock()
				for i := range vs {
					vs[i]++
				}
				mu.Unlock()
			}
		})
		b.Run("impl=anacrolix", func(b *testing.B) {
			b.ReportAllocs()
			_, vs := bothVars(n)
			for b.Loop() {
				oracle.Atomically(oracle.VoidOperation(func(tx *oracle.Tx) {
					for _, v := range vs {
						v.Set(tx, v.Get(tx)+1)
					}
				}))
			}
		})
	})
}

func BenchmarkHotCounter(b *testing.B) {
	ctx := context.Background()
	for _, g := range []int{2, 8} {
		b.Run(fmt.Sprint("goroutines=", g, "/impl=synod"), func(b *testing.B) {
			v := stm.NewVar(0)
			b.SetParallelism(max(1, g/2))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, v.Get(tx)+1); return nil })
				}
			})
		})
		b.Run(fmt.Sprint("goroutines=", g, "/impl=mutex"), func(b *testing.B) {
			var mu sync.Mutex
			n := 0
			b.SetParallelism(max(1, g/2))
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					mu.Lock()
					n++
					mu.Unlock()
				}
			})
		})
	}
}

func BenchmarkSelect(b *testing.B) {
	ctx := context.Background()
	v, w := stm.NewVar(0), stm.NewVar(0)
	right := func(tx *stm.Tx) (int, error) { return w.Get(tx), nil }
	left := func(tx *stm.Tx) (int, error) {
		if v.Get(tx) == 0 {
			return 0, stm.ErrRetry
		}
		return 1, nil
	}
	b.Run("left=retry/impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return stm.Select(tx, left, right) })
		}
	})
	b.Run("left=none/impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return stm.Select(tx, right) })
		}
	})
	b.Run("left=panic/impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = stm.Query(ctx, func(tx *stm.Tx) int {
				return stm.OrElse(tx, func(tx *stm.Tx) int { tx.Check(v.Get(tx) > 0); return 1 }, w.Get)
			})
		}
	})
}

// PingPong is two goroutines that wake each other in turn; an operation is a round, two wake-ups.
func BenchmarkPingPong(b *testing.B) {
	for _, parked := range []int{0, 1_000} {
		b.Run(fmt.Sprint("parked=", parked, "/impl=synod"), func(b *testing.B) { pingPong(b, parked) })
	}
	b.Run("parked=0/impl=channel", func(b *testing.B) {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for x := range ping {
				pong <- x
			}
			close(pong)
		}()
		for b.Loop() {
			ping <- 1
			<-pong
		}
		close(ping)
		<-pong
	})
	b.Run("parked=0/impl=anacrolix", func(b *testing.B) {
		turn := oracle.NewVar(0)
		pass := func(from int) {
			oracle.Atomically(oracle.VoidOperation(func(tx *oracle.Tx) {
				tx.Assert(turn.Get(tx)%2 == from)
				turn.Set(tx, turn.Get(tx)+1)
			}))
		}
		rounds := b.N
		var wg sync.WaitGroup
		wg.Go(func() {
			for range rounds {
				pass(1)
			}
		})
		for range rounds {
			pass(0)
		}
		wg.Wait()
	})
}

func pingPong(b *testing.B, parked int) {
	ctx, cancel := context.WithCancel(context.Background())
	turn, elsewhere := stm.NewVar(0), stm.NewVar(0)
	var wg sync.WaitGroup
	for range parked {
		wg.Go(func() { _ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(elsewhere.Get(tx) > 0); return nil }) })
	}
	pass := func(from int) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			n := turn.Get(tx)
			if n%2 != from {
				return stm.ErrRetry
			}
			turn.Set(tx, n+1)
			return nil
		})
	}
	rounds := b.N
	wg.Go(func() {
		for range rounds {
			pass(1)
		}
	})
	b.ReportAllocs()
	b.ResetTimer()
	for range rounds {
		pass(0)
	}
	b.StopTimer()
	cancel()
	wg.Wait()
}
