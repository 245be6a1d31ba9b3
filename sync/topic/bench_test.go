package topic_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/topic"
)

// BenchmarkPublish publishes to subscribers that are not there to take. The peer sends to a channel for each, dropping
// what does not fit, under the lock that guards the list of subscribers.
func BenchmarkPublish(b *testing.B) {
	ctx := context.Background()
	for _, subscribers := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("subscribers=%d/impl=synod", subscribers), func(b *testing.B) {
			b.ReportAllocs()
			news := topic.New[int](64)
			subs := make([]*topic.Subscription[int], subscribers)
			for i := range subs {
				subs[i] = subscribe(b, news)
			}
			for v := 0; b.Loop(); v++ {
				_, _ = prop.Send(ctx, news, v)
			}
		})
		b.Run(fmt.Sprintf("subscribers=%d/impl=channels", subscribers), func(b *testing.B) {
			b.ReportAllocs()
			var mu sync.RWMutex
			subs := make([]chan int, subscribers)
			for i := range subs {
				subs[i] = make(chan int, 64)
			}
			for v := 0; b.Loop(); v++ {
				mu.RLock()
				for _, c := range subs {
					select {
					case c <- v:
					default:
					}
				}
				mu.RUnlock()
			}
		})
	}
}

func subscribe(b *testing.B, news *topic.Topic[int]) (s *topic.Subscription[int]) {
	inTx(b, func(tx *stm.Tx) { s = news.Subscribe(tx, 64) })
	return s
}

// BenchmarkDeliver publishes values to subscribers that all take all of them, one value at a time; an op is one value
// for all.
func BenchmarkDeliver(b *testing.B) {
	ctx := context.Background()
	for _, subscribers := range []int{1, 10} {
		b.Run(fmt.Sprintf("subscribers=%d/impl=synod", subscribers), func(b *testing.B) {
			b.ReportAllocs()
			news := topic.New[int](64)
			subs := make([]*topic.Subscription[int], subscribers)
			for i := range subs {
				subs[i] = subscribe(b, news)
			}
			for v := 0; b.Loop(); v++ {
				_, _ = prop.Send(ctx, news, v)
				for _, s := range subs {
					_, _ = prop.Recv(ctx, s)
				}
			}
		})
		b.Run(fmt.Sprintf("subscribers=%d/impl=channels", subscribers), func(b *testing.B) {
			b.ReportAllocs()
			subs := make([]chan int, subscribers)
			for i := range subs {
				subs[i] = make(chan int, 64)
			}
			for v := 0; b.Loop(); v++ {
				for _, c := range subs {
					c <- v
				}
				for _, c := range subs {
					<-c
				}
			}
		})
	}
}
