package cell_test

import (
	"context"
	"sync"
	"testing"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/prop"
)

// BenchmarkMVar is a Take and a Put of a value that is there, beside what one does with a channel of one and a mutex.
func BenchmarkMVar(b *testing.B) {
	ctx := context.Background()
	b.Run("impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		m := cell.NewFullMVar(0)
		for b.Loop() {
			v, _ := prop.Recv(ctx, m)
			_, _ = prop.Send(ctx, m, v+1)
		}
	})
	b.Run("impl=synod-one-transaction", func(b *testing.B) {
		b.ReportAllocs()
		m := cell.NewFullMVar(0)
		for b.Loop() {
			_ = stm.Do(ctx, func(tx *stm.Tx) error {
				v, err := m.Take(tx)
				if err != nil {
					return err
				}
				_, err = m.Put(tx, v+1)
				return err
			})
		}
	})
	b.Run("impl=channel", func(b *testing.B) {
		c := make(chan int, 1)
		c <- 0
		for b.Loop() {
			v := <-c
			c <- v + 1
		}
	})
	b.Run("impl=mutex", func(b *testing.B) {
		var mu sync.Mutex
		n := 0
		for b.Loop() {
			mu.Lock()
			n++
			mu.Unlock()
		}
	})
}

// BenchmarkPromise makes a promise, keeps it and reads it.
func BenchmarkPromise(b *testing.B) {
	ctx := context.Background()
	b.Run("impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			p := cell.NewPromise[int]()
			_, _ = prop.Send(ctx, p, 1)
			_, _ = stm.Atomically(ctx, p.Await)
		}
	})
	b.Run("impl=channel", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			c := make(chan int, 1)
			c <- 1
			<-c
		}
	})
}

// BenchmarkMailbox is a Put and a Take with a thousand keys waiting, beside a map and a list under a mutex.
func BenchmarkMailbox(b *testing.B) {
	ctx := context.Background()
	const keys = 1000
	b.Run("impl=synod", func(b *testing.B) {
		b.ReportAllocs()
		m := cell.NewMailbox(keys+1, func(v int) int { return v % (keys + 1) }, func(old, new int) int { return new })
		for v := range keys {
			_, _ = prop.Send(ctx, m, v)
		}
		for v := 0; b.Loop(); v++ {
			_, _ = prop.Send(ctx, m, v)
			_, _ = prop.Recv(ctx, m)
		}
	})
	b.Run("impl=mutex", func(b *testing.B) {
		b.ReportAllocs()
		var mu sync.Mutex
		waiting, order := map[int]int{}, []int{}
		put := func(v int) {
			mu.Lock()
			k := v % (keys + 1)
			if _, ok := waiting[k]; !ok {
				order = append(order, k)
			}
			waiting[k] = v
			mu.Unlock()
		}
		for v := range keys {
			put(v)
		}
		for v := 0; b.Loop(); v++ {
			put(v)
			mu.Lock()
			delete(waiting, order[0])
			order = order[1:]
			mu.Unlock()
		}
	})
}
