package stm_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

func BenchmarkSeam(b *testing.B) { compare(b, "ask=1", seamCost()) }

func BenchmarkLoss(b *testing.B) {
	for _, l := range lost() {
		compare(b, l.name, l.impls)
	}
}

// seamCost is the question which world a context belongs to, which every transaction asks once; beside an empty loop.
func seamCost() []impl {
	ctx := context.Background()
	return []impl{
		{"synod", func(b *testing.B) {
			for b.Loop() {
				if seam.From(ctx) != nil {
					b.Fatal("a simulation")
				}
			}
		}},
		{"plain", func(b *testing.B) {
			for b.Loop() {
				if ctx == nil {
					b.Fatal("no context")
				}
			}
		}},
	}
}

// loss is a workload for which something else is the better choice: plain.
type loss struct {
	name  string
	impls []impl
}

func losses() (out []row) {
	for _, l := range lost() {
		out = append(out, against("loss: "+l.name, l.impls, "plain", 0, 0))
	}
	return out
}

func lost() []loss {
	return []loss{
		{"a number nobody waits for: atomic", hotCounter(2)},
		{"a private word: no lock at all", readWrite(1)},
		{"one setting, read alone: atomic.Pointer", oneSetting()},
		{"a block changed in its place: mutex", bigBlock()},
		{"a line of stages: channels", stages()},
	}
}

type setting struct{ a, b int }

func oneSetting() []impl {
	ctx := context.Background()
	return []impl{
		{"synod", func(b *testing.B) {
			v := stm.NewVar(&setting{1, 2})
			for b.Loop() {
				if v.Load(ctx).a != 1 {
					b.Fatal("wrong")
				}
			}
		}},
		{"plain", func(b *testing.B) {
			var p atomic.Pointer[setting]
			p.Store(&setting{1, 2})
			for b.Loop() {
				if p.Load().a != 1 {
					b.Fatal("wrong")
				}
			}
		}},
	}
}

// bigBlock changes one byte of 4 KiB: in a Var the whole block is replaced.
func bigBlock() []impl {
	ctx := context.Background()
	type block [4096]byte
	return []impl{
		{"synod", func(b *testing.B) {
			v := stm.NewVar(new(block))
			for b.Loop() {
				_ = stm.Do(ctx, func(tx *stm.Tx) error {
					next := *v.Get(tx)
					next[7]++
					v.Set(tx, &next)
					return nil
				})
			}
		}},
		{"plain", func(b *testing.B) {
			var mu sync.Mutex
			x := new(block)
			for b.Loop() {
				mu.Lock()
				x[7]++
				mu.Unlock()
			}
			runtime.KeepAlive(x)
		}},
	}
}

// stages passes numbers through four goroutines, by bounded queues.
func stages() []impl {
	const count = 4
	line := func(b *testing.B, put func(stage, x int), take func(stage int) int) {
		var wg sync.WaitGroup
		for s := range count {
			wg.Go(func() {
				for range b.N {
					put(s+1, take(s)+1)
				}
			})
		}
		wg.Go(func() {
			for i := range b.N {
				put(0, i)
			}
		})
		for i := range b.N {
			if x := take(count); x != i+count {
				b.Error("out of order", x)
			}
		}
		wg.Wait()
	}
	return []impl{
		{"synod", func(b *testing.B) {
			ctx := context.Background()
			var r [count + 1]*ring
			for i := range r {
				r[i] = newRing()
			}
			line(b, func(s, x int) { _ = stm.Do(ctx, func(tx *stm.Tx) error { return r[s].put(tx, x) }) },
				func(s int) int { x, _ := stm.Atomically(ctx, r[s].take); return x })
		}},
		{"plain", func(b *testing.B) {
			var c [count + 1]chan int
			for i := range c {
				c[i] = make(chan int, queueMax)
			}
			line(b, func(s, x int) { c[s] <- x }, func(s int) int { return <-c[s] })
		}},
	}
}
