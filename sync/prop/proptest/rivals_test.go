package proptest_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/event"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
	"github.com/synodkit/synod/sync/topic"
)

// together runs f on several goroutines, which share n operations.
func together(tasks, n int, f func(n int)) {
	var wg sync.WaitGroup
	for t := range tasks {
		share := n / tasks
		if t < n%tasks {
			share++
		}
		wg.Go(func() { f(share) })
	}
	wg.Wait()
}

func repeat(f func()) func(n int) {
	return func(n int) {
		for range n {
			f()
		}
	}
}

// passing moves values from some goroutines to as many others.
func passing(ends int, put, take func()) func(n int) {
	return func(n int) {
		var wg sync.WaitGroup
		wg.Go(func() { together(ends, n, repeat(put)) })
		wg.Go(func() { together(ends, n, repeat(take)) })
		wg.Wait()
	}
}

var background = context.Background()

func inTx(f func(tx *stm.Tx)) {
	_ = stm.Do(background, func(tx *stm.Tx) error { f(tx); return nil })
}

func passes64(what string, ends, capacity int) match {
	q, c, l := queue.FIFO(capacity, queue.Wait[int]()), make(chan int, capacity), newRingLocked(capacity)
	return match{what, []rival{
		{"", passing(ends, func() { _, _ = prop.Send(background, q, 1) }, func() { _, _ = prop.Recv(background, q) })},
		{"channel", passing(ends, func() { c <- 1 }, func() { <-c })},
		{"ring under a lock", passing(ends, l.put, l.take)},
	}}
}

// ringLocked is a bounded queue as one writes it by hand.
type ringLocked struct {
	mu            sync.Mutex
	filled, freed *sync.Cond
	ring          []int
	head, size    int
}

func newRingLocked(n int) *ringLocked {
	l := &ringLocked{ring: make([]int, n)}
	l.filled, l.freed = sync.NewCond(&l.mu), sync.NewCond(&l.mu)
	return l
}

func (l *ringLocked) put() {
	l.mu.Lock()
	for l.size == len(l.ring) {
		l.freed.Wait()
	}
	l.ring[(l.head+l.size)%len(l.ring)] = 1
	l.size++
	l.mu.Unlock()
	l.filled.Signal()
}

func (l *ringLocked) take() {
	l.mu.Lock()
	for l.size == 0 {
		l.filled.Wait()
	}
	l.head = (l.head + 1) % len(l.ring)
	l.size--
	l.mu.Unlock()
	l.freed.Signal()
}

// matches are all, one of each kind of primitive.
func matches() []match {
	all := []match{
		passes64("a value through a queue of 64, one task at each end", 1, 64),
		passes64("the same, four tasks at each end", 4, 64),
		passes64("a value through a queue of 1: a wait for each", 1, 1),
	}
	all = append(all, alone()...)
	for _, n := range []int{1, 10, 100} {
		all = append(all, publishing(n))
	}
	return append(append(all, gates()...), events()...)
}

// alone are cells and queues without waiting, on one goroutine.
func alone() []match {
	q, c := queue.FIFO(64, queue.Wait[int]()), make(chan int, 64)
	m, one := cell.NewFullMVar(1), make(chan int, 1)
	one <- 1
	w, newest := cell.NewWatch(0), new(struct {
		sync.RWMutex
		v int
	})
	return []match{
		{"Put and Take of a FIFO queue, no waiting", []rival{
			{"", repeat(func() { _, _ = prop.Send(background, q, 1); _, _ = prop.Recv(background, q) })},
			{"channel", repeat(func() { c <- 1; <-c })},
		}},
		{"MVar, take and put back", []rival{
			{"", repeat(func() { v, _ := prop.Recv(background, m); _, _ = prop.Send(background, m, v) })},
			{"channel of one", repeat(func() { one <- <-one })},
		}},
		{"Watch, a new value and a look at it", []rival{
			{"", repeat(func() {
				_, _ = prop.Send(background, w, 1)
				inTx(func(tx *stm.Tx) { w.Newest(tx) })
			})},
			{"value under a sync.RWMutex", repeat(func() {
				newest.Lock()
				newest.v++
				newest.Unlock()
				newest.RLock()
				_ = newest.v
				newest.RUnlock()
			})},
		}},
		{"Promise: made, kept, awaited", []rival{
			{"", repeat(func() {
				p := cell.NewPromise[int]()
				_, _ = prop.Send(background, p, 1)
				_, _ = stm.Atomically(background, p.Await)
			})},
			{"channel of one", repeat(func() { c := make(chan int, 1); c <- 1; <-c })},
		}},
	}
}

func publishing(subscribers int) match {
	t := topic.New[int](64)
	var mu sync.RWMutex
	channels := make([]chan int, subscribers)
	for i := range channels {
		channels[i] = make(chan int, 64)
		inTx(func(tx *stm.Tx) { t.Subscribe(tx, 64) })
	}
	return match{fmt.Sprintf("publish with %d subscribers", subscribers), []rival{
		{"", repeat(func() { _, _ = prop.Send(background, t, 1) })},
		{"a channel for each", repeat(func() {
			mu.RLock()
			for _, c := range channels {
				select {
				case c <- 1:
				default:
				}
			}
			mu.RUnlock()
		})},
	}}
}

func gates() []match {
	s, weighted := gate.NewSemaphore(2), semaphore.NewWeighted(2)
	l, mutex := gate.NewRWLock(), new(sync.RWMutex)
	lim := gate.NewLimiter(1, 1_000_000)
	var mu sync.Mutex
	tokens := 0
	ours := repeat(func() { _ = s.Acquire(background, 1); inTx(func(tx *stm.Tx) { s.Release(tx, 1) }) })
	theirs := repeat(func() { _ = weighted.Acquire(background, 1); weighted.Release(1) })
	return []match{
		{"Semaphore, acquire and release", []rival{{"", ours}, {"x/sync/semaphore", theirs}}},
		{"the same, eight tasks for two permits", []rival{
			{"", func(n int) { together(8, n, ours) }}, {"x/sync/semaphore", func(n int) { together(8, n, theirs) }},
		}},
		{"RWLock, lock and unlock", []rival{
			{"", repeat(func() { _ = l.Lock(background); inTx(l.Unlock) })},
			{"sync.RWMutex", repeat(func() { mutex.Lock(); mutex.Unlock() })},
		}},
		{"Limiter, one token", []rival{
			{"", repeat(func() { inTx(func(tx *stm.Tx) { lim.Allow(tx, 1) }) })},
			{"a count and the time under a lock", repeat(func() { mu.Lock(); tokens += time.Now().Nanosecond(); mu.Unlock() })},
		}},
	}
}

func events() []match {
	meet, unbuffered := event.NewChan[int](), make(chan int)
	c, d, q := make(chan int, 1), make(chan int, 1), queue.FIFO(1, queue.Wait[int]())
	either := event.Choose(event.Tx(q.Take), event.FromChan(c))
	quick := func(context.Context) (int, error) { return 1, nil }
	contest := func(f func(ctx context.Context, s *registry.Scope)) func(n int) {
		return func(n int) {
			_ = registry.Run(background, func(ctx context.Context, s *registry.Scope) error {
				for range n {
					f(ctx, s)
				}
				return nil
			})
		}
	}
	return []match{
		{"a meeting at an event.Chan", []rival{
			{"", passing(1, func() { _ = meet.Send(background, 1) }, func() { _, _ = meet.Recv(background) })},
			{"unbuffered channel", passing(1, func() { unbuffered <- 1 }, func() { <-unbuffered })},
		}},
		{"a choice of which one is ready", []rival{
			{"", repeat(func() { c <- 1; _, _ = event.Sync(background, either) })},
			{"select", repeat(func() {
				c <- 1
				select {
				case <-d:
				case <-c:
				}
			})},
		}},
		{"All of four tasks", []rival{
			{"", contest(func(ctx context.Context, s *registry.Scope) { _, _ = event.All(ctx, s.Go, quick, quick, quick, quick) })},
			{"x/sync/errgroup", repeat(func() {
				g, ctx := errgroup.WithContext(background)
				for range 4 {
					g.Go(func() error { _, err := quick(ctx); return err })
				}
				_ = g.Wait()
			})},
		}},
	}
}
