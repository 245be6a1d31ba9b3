package queue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/queue"
)

// Benchmarks move values from one half of the goroutines to the other; an op is one value through the queue. The peers
// are a Go channel, and a ring under a sync.Mutex with two sync.Conds.

// locked is a bounded FIFO queue as one writes it by hand.
type locked struct {
	mu            sync.Mutex
	filled, freed *sync.Cond
	ring          []int
	head, size    int
}

func newLocked(n int) *locked {
	l := &locked{ring: make([]int, n)}
	l.filled, l.freed = sync.NewCond(&l.mu), sync.NewCond(&l.mu)
	return l
}

func (l *locked) put(v int) {
	l.mu.Lock()
	for l.size == len(l.ring) {
		l.freed.Wait()
	}
	l.ring[(l.head+l.size)%len(l.ring)] = v
	l.size++
	l.mu.Unlock()
	l.filled.Signal()
}

func (l *locked) take() int {
	l.mu.Lock()
	for l.size == 0 {
		l.filled.Wait()
	}
	v := l.ring[l.head]
	l.head = (l.head + 1) % len(l.ring)
	l.size--
	l.mu.Unlock()
	l.freed.Signal()
	return v
}

// pass moves b.N values through put and take on the given number of goroutines at each end.
func pass(b *testing.B, ends int, put func(int), take func()) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	for e := range ends {
		n := b.N / ends
		if e == 0 {
			n += b.N % ends
		}
		wg.Go(func() {
			for v := range n {
				put(v)
			}
		})
		wg.Go(func() {
			for range n {
				take()
			}
		})
	}
	wg.Wait()
}

func BenchmarkPass(b *testing.B) {
	ctx := context.Background()
	synod := func(b *testing.B, ends int, q *queue.Queue[int]) {
		pass(b, ends, func(v int) {
			_ = stm.Do(ctx, func(tx *stm.Tx) error { _, err := q.Put(tx, v); return err })
		}, func() { _, _ = stm.Atomically(ctx, q.Take) })
	}
	byValue := func(a, b int) int { return a - b }
	for _, ends := range []int{1, 4} {
		for _, n := range []int{1, 64} {
			name := fmt.Sprintf("capacity=%d/ends=%d/impl=", n, ends)
			b.Run(name+"channel", func(b *testing.B) {
				c := make(chan int, n)
				pass(b, ends, func(v int) { c <- v }, func() { <-c })
			})
			b.Run(name+"cond", func(b *testing.B) {
				l := newLocked(n)
				pass(b, ends, l.put, func() { l.take() })
			})
			b.Run(name+"fifo", func(b *testing.B) { synod(b, ends, queue.FIFO(n, queue.Wait[int]())) })
			b.Run(name+"lifo", func(b *testing.B) { synod(b, ends, queue.LIFO(n, queue.Wait[int]())) })
			b.Run(name+"priority", func(b *testing.B) { synod(b, ends, queue.Priority(n, byValue, queue.Wait[int]())) })
		}
		b.Run(fmt.Sprintf("capacity=unbounded/ends=%d/impl=fifo", ends), func(b *testing.B) {
			synod(b, ends, queue.Unbounded[int](new(queue.Gauge)))
		})
	}
}

// BenchmarkPair is a Put and a Take on one goroutine: the cost without waiting.
func BenchmarkPair(b *testing.B) {
	ctx := context.Background()
	byValue := func(a, b int) int { return a - b }
	b.Run("impl=channel", func(b *testing.B) {
		c := make(chan int, 64)
		for b.Loop() {
			c <- 1
			<-c
		}
	})
	b.Run("impl=cond", func(b *testing.B) {
		l := newLocked(64)
		for b.Loop() {
			l.put(1)
			l.take()
		}
	})
	for name, q := range map[string]*queue.Queue[int]{
		"fifo": queue.FIFO(64, queue.Wait[int]()), "lifo": queue.LIFO(64, queue.Wait[int]()),
		"unbounded": queue.Unbounded[int](new(queue.Gauge)), "priority": queue.Priority(64, byValue, queue.Wait[int]()),
		"fifo-evicts-least": queue.FIFO(64, queue.EvictLeast(byValue)),
		"fifo-shares":       queue.FIFO(64, queue.FairShare(func(v int) int { return v })),
	} {
		b.Run("impl="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = stm.Do(ctx, func(tx *stm.Tx) error { _, err := q.Put(tx, 1); return err })
				_, _ = stm.Atomically(ctx, q.Take)
			}
		})
	}
}
