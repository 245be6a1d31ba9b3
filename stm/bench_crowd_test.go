package stm_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	anacrolix "github.com/anacrolix/stm"

	"github.com/synodkit/synod/stm"
)

// The cost curve over contention.
var crowds = []int{1, 2, 4, 8}

func BenchmarkHotCounter(b *testing.B) { each(b, "goroutines", crowds, hotCounter) }
func BenchmarkDisjoint(b *testing.B)   { each(b, "goroutines", crowds, disjoint) }
func BenchmarkTransfer(b *testing.B)   { each(b, "accounts", []int{64}, transfer) }
func BenchmarkAudit(b *testing.B)      { each(b, "accounts", []int{64}, audit) }

// crowd splits b.N operations among g goroutines, which start together. begin makes what one of them repeats.
func crowd(b *testing.B, g int, begin func(me int) (again func())) {
	var ready, done sync.WaitGroup
	var start atomic.Bool
	ready.Add(g)
	for me := range g {
		done.Go(func() {
			again := begin(me)
			ready.Done()
			for !start.Load() {
				runtime.Gosched()
			}
			for range b.N/g + 1 {
				again()
			}
		})
	}
	ready.Wait()
	timed(b, func() {
		start.Store(true)
		done.Wait()
	})
}

func increment(v *stm.Var[int]) func() {
	ctx := context.Background()
	return func() {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, v.Get(tx)+1); return nil })
	}
}

func theirIncrement(v *anacrolix.Var[int]) func() {
	return func() {
		anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) { v.Set(tx, v.Get(tx)+1) }))
	}
}

// counter is a number behind a lock.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) increment() {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
}

// hotCounter is g goroutines that increment one number.
func hotCounter(g int) []impl {
	return []impl{
		{"synod", func(b *testing.B) {
			v := stm.NewVar(0)
			crowd(b, g, func(int) func() { return increment(v) })
		}},
		{"mutex", func(b *testing.B) {
			c := new(counter)
			crowd(b, g, func(int) func() { return c.increment })
		}},
		{"plain", func(b *testing.B) { // an atomic: the right choice if nobody waits or combines
			n := new(atomic.Int64)
			crowd(b, g, func(int) func() { return func() { n.Add(1) } })
		}},
		{"anacrolix", func(b *testing.B) {
			v := anacrolix.NewVar(0)
			crowd(b, g, func(int) func() { return theirIncrement(v) })
		}},
	}
}

// disjoint is g goroutines that increment a number each. What one of them uses shares no cache line with what another does:
// there are others like it around it.
func disjoint(g int) []impl {
	own := func(b *testing.B, begin func() func()) {
		crowd(b, g, func(int) func() {
			var all [17]func()
			for i := range all {
				all[i] = begin()
			}
			b.Cleanup(func() { runtime.KeepAlive(all) })
			return all[8]
		})
	}
	return []impl{
		{"synod", func(b *testing.B) { own(b, func() func() { return increment(stm.NewVar(0)) }) }},
		{"mutex", func(b *testing.B) {
			own(b, func() func() {
				c := &struct {
					_ [64]byte
					counter
					_ [64]byte
				}{}
				return c.increment
			})
		}},
		{"plain", func(b *testing.B) {
			own(b, func() func() {
				n := &struct {
					_ [64]byte
					atomic.Int64
					_ [64]byte
				}{}
				return func() { n.Add(1) }
			})
		}},
		{"anacrolix", func(b *testing.B) { own(b, func() func() { return theirIncrement(anacrolix.NewVar(0)) }) }},
	}
}

// pick is the next pair of accounts: cheap, and different for each goroutine.
func pick(x *uint32, n int) (from, to int) {
	*x = *x*1664525 + 1013904223
	from = int(*x>>16) % n
	return from, (from + 1 + int(*x>>8)%(n-1)) % n
}

// bank is the two operations on accounts under one implementation.
type bank struct {
	name     string
	transfer func(from, to int)
	audit    func() int
}

func banks(n int) []bank { return []bank{ourBank(n), lockedBank(n), stripedBank(n), theirBank(n)} }

func ourBank(n int) bank {
	ctx, vs := context.Background(), varsOf(n)
	return bank{"synod", func(from, to int) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			vs[from].Set(tx, vs[from].Get(tx)-1)
			vs[to].Set(tx, vs[to].Get(tx)+1)
			return nil
		})
	}, func() int {
		sum, _ := stm.Query(ctx, func(tx *stm.Tx) int { return sumOf(tx, vs) })
		return sum
	}}
}

func lockedBank(n int) bank {
	var mu sync.Mutex
	words := wordsOf(n)
	return bank{"mutex", func(from, to int) {
		mu.Lock()
		words[from]--
		words[to]++
		mu.Unlock()
	}, func() int {
		mu.Lock()
		sum := sumOfWords(words)
		mu.Unlock()
		return sum
	}}
}

// stripedBank has a lock an account, taken in order.
func stripedBank(n int) bank {
	accounts := make([]counter, n)
	for i := range accounts {
		accounts[i].n = 1
	}
	return bank{"plain", func(from, to int) {
		a, b := &accounts[min(from, to)], &accounts[max(from, to)]
		a.mu.Lock()
		b.mu.Lock()
		accounts[from].n--
		accounts[to].n++
		b.mu.Unlock()
		a.mu.Unlock()
	}, func() int {
		sum := 0
		for i := range accounts {
			accounts[i].mu.Lock()
		}
		for i := range accounts {
			sum += accounts[i].n
			accounts[i].mu.Unlock()
		}
		return sum
	}}
}

func theirBank(n int) bank {
	vs := theirVarsOf(n)
	return bank{"anacrolix", func(from, to int) {
		anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) {
			vs[from].Set(tx, vs[from].Get(tx)-1)
			vs[to].Set(tx, vs[to].Get(tx)+1)
		}))
	}, func() int {
		return anacrolix.Atomically(func(tx *anacrolix.Tx) int { return theirSumOf(tx, vs) })
	}}
}

// transfer is two goroutines that move money.
func transfer(n int) (out []impl) {
	for _, bank := range banks(n) {
		out = append(out, impl{bank.name, func(b *testing.B) {
			crowd(b, 2, func(me int) func() {
				x := uint32(me)
				return func() { bank.transfer(pick(&x, n)) }
			})
			if sum := bank.audit(); sum != n {
				b.Error("money is lost", sum)
			}
		}})
	}
	return out
}

// audit adds up all accounts while another goroutine moves money between them. moves/op is how much it gets done meanwhile.
func audit(n int) (out []impl) {
	for _, bank := range banks(n) {
		out = append(out, impl{bank.name, func(b *testing.B) {
			var wg sync.WaitGroup
			var stop atomic.Bool
			moves := 0
			wg.Go(func() {
				for x := uint32(1); !stop.Load(); moves++ {
					bank.transfer(pick(&x, n))
				}
			})
			timed(b, func() {
				for range b.N {
					if sum := bank.audit(); sum != n {
						b.Error("an audit saw two moments", sum)
					}
				}
			})
			stop.Store(true)
			wg.Wait()
			b.ReportMetric(float64(moves)/float64(b.N), "moves/op")
		}})
	}
	return out
}
