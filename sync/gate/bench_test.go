package gate_test

import (
	"container/list"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// weightedPeer is a FIFO-fair weighted semaphore with a context, as one writes it by hand: a lock, and a channel for
// each who waits.
type weightedPeer struct {
	mu   sync.Mutex
	free int
	line list.List // of *waiting
}

type waiting struct {
	n    int
	turn chan struct{}
}

func (s *weightedPeer) acquire(ctx context.Context, n int) error {
	s.mu.Lock()
	if s.free >= n && s.line.Len() == 0 {
		s.free -= n
		s.mu.Unlock()
		return nil
	}
	me := &waiting{n, make(chan struct{})}
	at := s.line.PushBack(me)
	s.mu.Unlock()
	select {
	case <-me.turn:
		return nil
	case <-ctx.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		select {
		case <-me.turn:
			s.free += n
		default:
			s.line.Remove(at)
		}
		s.serve()
		return ctx.Err()
	}
}

func (s *weightedPeer) release(n int) {
	s.mu.Lock()
	s.free += n
	s.serve()
	s.mu.Unlock()
}

func (s *weightedPeer) serve() {
	for e := s.line.Front(); e != nil; e = s.line.Front() {
		w := e.Value.(*waiting)
		if w.n > s.free {
			return
		}
		s.free -= w.n
		s.line.Remove(e)
		close(w.turn)
	}
}

// share runs f b.N times on a number of goroutines.
func share(b *testing.B, tasks int, f func()) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	for t := range tasks {
		n := b.N / tasks
		if t == 0 {
			n += b.N % tasks
		}
		wg.Go(func() {
			for range n {
				f()
			}
		})
	}
	wg.Wait()
}

// BenchmarkSemaphore acquires one of two permits and gives it back.
func BenchmarkSemaphore(b *testing.B) {
	ctx := context.Background()
	for _, tasks := range []int{1, 8} {
		name := fmt.Sprintf("tasks=%d/impl=", tasks)
		b.Run(name+"synod", func(b *testing.B) {
			s := gate.NewSemaphore(2)
			share(b, tasks, func() {
				_ = s.Acquire(ctx, 1)
				_ = do(ctx, func(tx *stm.Tx) { s.Release(tx, 1) })
			})
		})
		b.Run(name+"weighted", func(b *testing.B) {
			s := &weightedPeer{free: 2}
			share(b, tasks, func() {
				_ = s.acquire(ctx, 1)
				s.release(1)
			})
		})
		b.Run(name+"channel", func(b *testing.B) {
			c := make(chan struct{}, 2)
			share(b, tasks, func() {
				c <- struct{}{}
				<-c
			})
		})
	}
}

// BenchmarkLock takes a lock alone and gives it back; BenchmarkRead does so for reading.
func BenchmarkLock(b *testing.B) {
	ctx := context.Background()
	for _, tasks := range []int{1, 8} {
		name := fmt.Sprintf("tasks=%d/impl=", tasks)
		b.Run(name+"synod", func(b *testing.B) {
			l := gate.NewRWLock()
			share(b, tasks, func() {
				_ = l.Lock(ctx)
				_ = do(ctx, l.Unlock)
			})
		})
		b.Run(name+"rwmutex", func(b *testing.B) {
			var l sync.RWMutex
			share(b, tasks, func() {
				l.Lock()
				l.Unlock()
			})
		})
	}
}

func BenchmarkRead(b *testing.B) {
	ctx := context.Background()
	b.Run("impl=synod", func(b *testing.B) {
		l := gate.NewRWLock()
		share(b, 2, func() {
			_ = l.RLock(ctx)
			_ = do(ctx, l.RUnlock)
		})
	})
	b.Run("impl=rwmutex", func(b *testing.B) {
		var l sync.RWMutex
		share(b, 2, func() {
			l.RLock()
			l.RUnlock()
		})
	})
}

// BenchmarkAllow asks a limiter that allows everything, beside a count of tokens under a lock.
func BenchmarkAllow(b *testing.B) {
	ctx := context.Background()
	b.Run("impl=synod", func(b *testing.B) {
		l := gate.NewLimiter(1, 1_000_000)
		share(b, 1, func() { _ = do(ctx, func(tx *stm.Tx) { l.Allow(tx, 1) }) })
	})
	b.Run("impl=mutex", func(b *testing.B) {
		var mu sync.Mutex
		var paid time.Time
		share(b, 1, func() {
			mu.Lock()
			now := time.Now()
			if paid.Before(now) {
				paid = now
			}
			if paid.Sub(now) < 1_000_000 {
				paid = paid.Add(1)
			}
			mu.Unlock()
		})
	})
}
