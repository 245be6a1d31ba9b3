package event_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// BenchmarkMeet passes values from one goroutine to another without a buffer.
func BenchmarkMeet(b *testing.B) {
	ctx := context.Background()
	pass := func(b *testing.B, send func(v int), recv func()) {
		b.ReportAllocs()
		var wg sync.WaitGroup
		wg.Go(func() {
			for v := range b.N {
				send(v)
			}
		})
		for range b.N {
			recv()
		}
		wg.Wait()
	}
	b.Run("impl=synod", func(b *testing.B) {
		c := event.NewChan[int]()
		pass(b, func(v int) { _ = c.Send(ctx, v) }, func() { _, _ = c.Recv(ctx) })
	})
	b.Run("impl=channel", func(b *testing.B) {
		c := make(chan int)
		pass(b, func(v int) { c <- v }, func() { <-c })
	})
}

// BenchmarkReady chooses among things of which one is there: a Go channel and a queue, or two Go channels.
func BenchmarkReady(b *testing.B) {
	ctx := context.Background()
	b.Run("impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		c, q := make(chan int, 1), queue.FIFO(1, queue.Wait[int]())
		e := event.Choose(event.Tx(q.Take), event.FromChan(c))
		for b.Loop() {
			c <- 1
			_, _ = event.Sync(ctx, e)
		}
	})
	b.Run("impl=synod-transactions", func(b *testing.B) {
		b.ReportAllocs()
		p, q := queue.FIFO(1, queue.Wait[int]()), queue.FIFO(1, queue.Wait[int]())
		e := event.Choose(event.Tx(p.Take), event.Tx(q.Take))
		for b.Loop() {
			_, _ = prop.Send(ctx, q, 1)
			_, _ = event.Sync(ctx, e)
		}
	})
	b.Run("impl=select", func(b *testing.B) {
		c, d := make(chan int, 1), make(chan int, 1)
		for b.Loop() {
			c <- 1
			select {
			case <-d:
			case <-c:
			}
		}
	})
}

// BenchmarkBridge moves values from a queue to a goroutine that also waits for a Go channel: by a Pump and select, and
// by Sync without a pump.
func BenchmarkBridge(b *testing.B) {
	run := func(b *testing.B, take func(s *registry.Scope, q *queue.Queue[int]) func()) {
		b.ReportAllocs()
		q := queue.FIFO(64, queue.Wait[int]())
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			next := take(s, q)
			s.Go("source", func(ctx context.Context) error {
				for v := range b.N {
					if _, err := prop.Send(ctx, q, v); err != nil {
						return err
					}
				}
				return stm.Do(ctx, func(tx *stm.Tx) error { q.Close(tx); return nil })
			})
			for range b.N {
				next()
			}
			return nil
		})
	}
	b.Run("impl=pump", func(b *testing.B) {
		run(b, func(s *registry.Scope, q *queue.Queue[int]) func() {
			c, never := event.Pump(s.Go, "pump", q, nil), make(chan int)
			return func() {
				select {
				case <-c:
				case <-never:
				}
			}
		})
	})
	b.Run("impl=sync", func(b *testing.B) {
		run(b, func(_ *registry.Scope, q *queue.Queue[int]) func() {
			e := event.Choose(event.Tx(q.Take), event.FromChan(make(chan int)))
			return func() { _, _ = event.Sync(context.Background(), e) }
		})
	})
}

// BenchmarkRace races four tasks that return at once, beside goroutines and a channel.
func BenchmarkRace(b *testing.B) {
	b.Run("impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		_ = registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			task := func(context.Context) (int, error) { return 1, nil }
			for b.Loop() {
				if _, err := event.Race(ctx, s.Go, task, task, task, task); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("impl=channel", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
			c := make(chan int, 4)
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if ctx.Err() == nil {
						c <- 1
					}
				})
			}
			<-c
			cancel()
			wg.Wait()
		}
	})
}
