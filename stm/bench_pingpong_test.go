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

// turns is two goroutines that wake each other; an operation is a round, which is two wake-ups.
func turns(b *testing.B, pass func(me int)) {
	timed(b, func() {
		var wg sync.WaitGroup
		for me := range 2 {
			wg.Go(func() {
				for range b.N {
					pass(me)
				}
			})
		}
		wg.Wait()
	})
}

// mine is a turn: wait until the number is mine, make it the other's.
func mine(v *stm.Var[int]) (bodies [2]func(tx *stm.Tx) error) {
	for me := range bodies {
		bodies[me] = func(tx *stm.Tx) error {
			n := v.Get(tx)
			if n%2 != me {
				return stm.ErrRetry
			}
			v.Set(tx, n+1)
			return nil
		}
	}
	return bodies
}

// mineByRetry is mine with the readable spelling.
func mineByRetry(v *stm.Var[int]) (bodies [2]func(tx *stm.Tx) error) {
	for me := range bodies {
		bodies[me] = func(tx *stm.Tx) error {
			n := v.Get(tx)
			tx.Check(n%2 == me)
			v.Set(tx, n+1)
			return nil
		}
	}
	return bodies
}

// pingPong has n others that are parked elsewhere, in the same way.
func pingPong(n int) []impl {
	ctx := context.Background()
	return []impl{
		{"synod", func(b *testing.B) {
			body := mine(stm.NewVar(0))
			defer park(n)()
			turns(b, func(me int) { _ = stm.Do(ctx, body[me]) })
		}},
		{"channel", func(b *testing.B) {
			ping, pong := make(chan int), make(chan int)
			defer parkOnChannel(n)()
			turns(b, func(me int) {
				if me == 0 {
					ping <- 1
					<-pong
				} else {
					<-ping
					pong <- 1
				}
			})
		}},
		{"anacrolix", func(b *testing.B) {
			v := anacrolix.NewVar(0)
			defer parkTheirs(n)()
			turns(b, func(me int) {
				anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) {
					tx.Assert(v.Get(tx)%2 == me)
					v.Set(tx, v.Get(tx)+1)
				}))
			})
		}},
	}
}

// pingPongCtx is pingPong under a context that can end, for both. plain is ours with Check instead of ErrRetry.
func pingPongCtx(n int) []impl {
	const ping, pong = 0, 1
	return []impl{
		{"synod", func(b *testing.B) { pingPongOurs(b, n, mine(stm.NewVar(0))) }},
		{"plain", func(b *testing.B) { pingPongOurs(b, n, mineByRetry(stm.NewVar(0))) }},
		{"channel", func(b *testing.B) {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			c := [2]chan int{make(chan int), make(chan int)}
			send := func(i int) {
				select {
				case c[i] <- 1:
				case <-ctx.Done():
				}
			}
			receive := func(i int) {
				select {
				case <-c[i]:
				case <-ctx.Done():
				}
			}
			defer parkOnChannel(n)()
			turns(b, func(me int) {
				if me == 0 {
					send(ping)
					receive(pong)
				} else {
					receive(ping)
					send(pong)
				}
			})
		}},
	}
}

func pingPongOurs(b *testing.B, n int, body [2]func(tx *stm.Tx) error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	defer park(n)()
	turns(b, func(me int) { _ = stm.Do(ctx, body[me]) })
}

// parkAll starts n goroutines and returns when all have begun to wait.
func parkAll(n int, wait func(began func())) (join func()) {
	var wg sync.WaitGroup
	var begun atomic.Int64
	for range n {
		wg.Go(func() { wait(func() { begun.Add(1) }) })
	}
	for begun.Load() < int64(n) {
		runtime.Gosched()
	}
	for range 4 {
		runtime.Gosched()
	}
	return wg.Wait
}

func park(n int) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	v := stm.NewVar(0)
	join := parkAll(n, func(began func()) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			if v.Get(tx) == 0 {
				began()
				return stm.ErrRetry
			}
			return nil
		})
	})
	return func() { cancel(); join() }
}

func parkOnChannel(n int) (stop func()) {
	c := make(chan int)
	join := parkAll(n, func(began func()) { began(); <-c })
	return func() { close(c); join() }
}

func parkTheirs(n int) (stop func()) {
	v := anacrolix.NewVar(0)
	join := parkAll(n, func(began func()) {
		anacrolix.Atomically(anacrolix.VoidOperation(func(tx *anacrolix.Tx) {
			if v.Get(tx) == 0 {
				began()
				tx.Retry()
			}
		}))
	})
	return func() { anacrolix.AtomicSet(v, 1); join() }
}
