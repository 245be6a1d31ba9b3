package stm_test

import (
	"context"
	"runtime"
	"sync"
	"testing"

	anacrolix "github.com/anacrolix/stm"

	"github.com/synodkit/synod/stm"
)

func BenchmarkQueue(b *testing.B)       { each(b, "producers", []int{1, 4}, queues) }
func BenchmarkPingPong(b *testing.B)    { each(b, "parked", []int{0, 100, 10_000}, pingPong) }
func BenchmarkPingPongCtx(b *testing.B) { each(b, "parked", []int{0}, pingPongCtx) }
func BenchmarkBroadcast(b *testing.B)   { each(b, "waiters", []int{1, 100, 10_000}, broadcast) }

func BenchmarkSelect(b *testing.B) {
	compare(b, "left=none", selects(false))
	compare(b, "left=retry", selects(true))
}

const queueMax = 64

// ring is a bounded queue.
type ring struct {
	slots      [queueMax]*stm.Var[int]
	head, tail *stm.Var[int]
}

func newRing() *ring {
	r := &ring{head: stm.NewVar(0), tail: stm.NewVar(0)}
	for i := range r.slots {
		r.slots[i] = stm.NewVar(0)
	}
	return r
}

func (r *ring) put(tx *stm.Tx, x int) error {
	t := r.tail.Get(tx)
	if t-r.head.Get(tx) == queueMax {
		return stm.ErrRetry
	}
	r.slots[t%queueMax].Set(tx, x)
	r.tail.Set(tx, t+1)
	return nil
}

func (r *ring) take(tx *stm.Tx) (int, error) {
	h := r.head.Get(tx)
	if h == r.tail.Get(tx) {
		return 0, stm.ErrRetry
	}
	r.head.Set(tx, h+1)
	return r.slots[h%queueMax].Get(tx), nil
}

// theirRing is ring, line by line.
type theirRing struct {
	slots      [queueMax]*anacrolix.Var[int]
	head, tail *anacrolix.Var[int]
}

func newTheirRing() *theirRing {
	r := &theirRing{head: anacrolix.NewVar(0), tail: anacrolix.NewVar(0)}
	for i := range r.slots {
		r.slots[i] = anacrolix.NewVar(0)
	}
	return r
}

func (r *theirRing) put(tx *anacrolix.Tx, x int) {
	t := r.tail.Get(tx)
	tx.Assert(t-r.head.Get(tx) < queueMax)
	r.slots[t%queueMax].Set(tx, x)
	r.tail.Set(tx, t+1)
}

func (r *theirRing) take(tx *anacrolix.Tx) int {
	h := r.head.Get(tx)
	tx.Assert(h < r.tail.Get(tx))
	r.head.Set(tx, h+1)
	return r.slots[h%queueMax].Get(tx)
}

// lockedRing is a ring with a lock and two conditions.
type lockedRing struct {
	mu              sync.Mutex
	space, notEmpty sync.Cond
	slots           [queueMax]int
	head, tail      int
}

func newLockedRing() *lockedRing {
	r := new(lockedRing)
	r.space.L, r.notEmpty.L = &r.mu, &r.mu
	return r
}

func (r *lockedRing) put(x int) {
	r.mu.Lock()
	for r.tail-r.head == queueMax {
		r.space.Wait()
	}
	r.slots[r.tail%queueMax] = x
	r.tail++
	r.notEmpty.Signal()
	r.mu.Unlock()
}

func (r *lockedRing) take() int {
	r.mu.Lock()
	for r.tail == r.head {
		r.notEmpty.Wait()
	}
	x := r.slots[r.head%queueMax]
	r.head++
	r.space.Signal()
	r.mu.Unlock()
	return x
}

// queues is g producers and g consumers on one bounded queue; an operation is one element through it.
func queues(g int) []impl {
	ctx := context.Background()
	pipe := func(b *testing.B, put func(int), take func() int) {
		var wg sync.WaitGroup
		each := b.N/g + 1
		sums := make([]int, g)
		timed(b, func() {
			for me := range g {
				wg.Go(func() {
					for i := range each {
						put(i)
					}
				})
				wg.Go(func() {
					sum := 0
					for range each {
						sum += take()
					}
					sums[me] = sum
				})
			}
			wg.Wait()
		})
		if sum := sumOfWords(sums); sum != g*each*(each-1)/2 {
			b.Error("lost or doubled", sum)
		}
	}
	return []impl{
		{"synod", func(b *testing.B) {
			r := newRing()
			pipe(b, func(x int) { _ = stm.Do(ctx, func(tx *stm.Tx) error { return r.put(tx, x) }) },
				func() int { x, _ := stm.Atomically(ctx, r.take); return x })
		}},
		{"channel", func(b *testing.B) {
			c := make(chan int, queueMax)
			pipe(b, func(x int) { c <- x }, func() int { return <-c })
		}},
		{"mutex", func(b *testing.B) { r := newLockedRing(); pipe(b, r.put, r.take) }},
		{"anacrolix", func(b *testing.B) {
			r := newTheirRing()
			pipe(b, func(x int) {
				anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) { r.put(tx, x) }))
			}, func() int { return anacrolix.Atomically(r.take) })
		}},
	}
}

// selects is a choice whose left alternative retries, or which has no left one.
func selects(left bool) []impl {
	ctx := context.Background()
	return []impl{
		{"synod", func(b *testing.B) {
			v, w := stm.NewVar(0), stm.NewVar(0)
			retry := func(tx *stm.Tx) (int, error) {
				if v.Get(tx) == 0 {
					return 0, stm.ErrRetry
				}
				return 1, nil
			}
			right := func(tx *stm.Tx) (int, error) { return w.Get(tx), nil }
			choice := func(tx *stm.Tx) (int, error) { return stm.Select(tx, right) }
			if left {
				choice = func(tx *stm.Tx) (int, error) { return stm.Select(tx, retry, right) }
			}
			for b.Loop() {
				_, _ = stm.Atomically(ctx, choice)
			}
		}},
		{"anacrolix", func(b *testing.B) {
			v, w := anacrolix.NewVar(0), anacrolix.NewVar(0)
			choice := anacrolix.Select(w.Get)
			if left {
				choice = anacrolix.Select(func(tx *anacrolix.Tx) int { tx.Assert(v.Get(tx) > 0); return 1 }, w.Get)
			}
			for b.Loop() {
				anacrolix.Atomically(choice)
			}
		}},
	}
}

// broadcast wakes n goroutines by one write; an operation is one of them. ns/waiter is what counts.
func broadcast(n int) []impl {
	ctx := context.Background()
	rounds := func(b *testing.B, open func() (wait, write func())) {
		b.StopTimer()
		b.ResetTimer()
		turns, used := (b.N+n-1)/n, int64(0)
		for range turns {
			wait, write := open()
			parked, wg := new(sync.WaitGroup), new(sync.WaitGroup)
			parked.Add(n)
			for range n {
				wg.Go(func() { parked.Done(); wait() })
			}
			parked.Wait()
			for range 4 {
				runtime.Gosched()
			}
			b.StartTimer()
			used -= cpuNanoseconds()
			write()
			wg.Wait()
			used += cpuNanoseconds()
			b.StopTimer()
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(turns*n), "ns/waiter")
		b.ReportMetric(float64(used)/float64(turns*n), "cpu-ns/op")
	}
	return []impl{
		{"synod", func(b *testing.B) {
			rounds(b, func() (wait, write func()) {
				v := stm.NewVar(0)
				body := func(tx *stm.Tx) error {
					if v.Get(tx) == 0 {
						return stm.ErrRetry
					}
					return nil
				}
				return func() { _ = stm.Do(ctx, body) }, increment(v)
			})
		}},
		{"channel", func(b *testing.B) {
			rounds(b, func() (wait, write func()) {
				c := make(chan int)
				return func() { <-c }, func() { close(c) }
			})
		}},
		{"mutex", func(b *testing.B) {
			rounds(b, func() (wait, write func()) {
				var mu sync.Mutex
				cond, open := sync.NewCond(&mu), false
				return func() {
						mu.Lock()
						for !open {
							cond.Wait()
						}
						mu.Unlock()
					}, func() {
						mu.Lock()
						open = true
						cond.Broadcast()
						mu.Unlock()
					}
			})
		}},
		{"anacrolix", func(b *testing.B) {
			rounds(b, func() (wait, write func()) {
				v := anacrolix.NewVar(0)
				body := anacrolix.VoidOperation(func(tx *anacrolix.Tx) { tx.Assert(v.Get(tx) > 0) })
				return func() { anacrolix.Atomically(body) }, func() { anacrolix.AtomicSet(v, 1) }
			})
		}},
	}
}
