package stm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/synodkit/synod/stm"
)

var errFunds = errors.New("insufficient funds")

// A transfer is all or nothing; its error rolls it back.
func Example() {
	ctx := context.Background()
	alice, bob := stm.NewVar(10), stm.NewVar(0)
	transfer := func(from, to *stm.Var[int], n int) error {
		return stm.Do(ctx, func(tx *stm.Tx) error {
			from.Update(tx, func(x int) int { return x - n })
			to.Update(tx, func(x int) int { return x + n })
			if from.Get(tx) < 0 {
				return errFunds
			}
			return nil
		})
	}
	fmt.Println(transfer(alice, bob, 7))
	fmt.Println(transfer(alice, bob, 7))
	fmt.Println(alice.Load(ctx), bob.Load(ctx))
	// Output:
	// <nil>
	// insufficient funds
	// 3 7
}

// A consumer waits for a condition; nobody signals it.
func ExampleTx_Check() {
	ctx := context.Background()
	queue := stm.NewVar([]string(nil))
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 2 {
			item, _ := stm.Query(ctx, func(tx *stm.Tx) string {
				q := queue.Get(tx)
				tx.Check(len(q) > 0)
				queue.Set(tx, q[1:])
				return q[0]
			})
			fmt.Println(item)
		}
	})
	_ = stm.Do(ctx, func(tx *stm.Tx) error { queue.Set(tx, []string{"one", "two"}); return nil })
	wg.Wait()
	// Output:
	// one
	// two
}

// pool and chain are components that know nothing of each other.
type pool struct{ txs *stm.Var[[]string] }

func (p pool) Snapshot(tx *stm.Tx) []string { return p.txs.Get(tx) }

type chain struct{ tip *stm.Var[int] }

func (c chain) Tip(tx *stm.Tx) int { return c.tip.Get(tx) }

// Queries of two components, combined: one moment of both, once both have something to say.
func ExampleDo_twoComponents() {
	ctx := context.Background()
	p, c := pool{stm.NewVar([]string{"pay"})}, chain{stm.NewVar(0)}
	var wg sync.WaitGroup
	wg.Go(func() {
		var tip int
		var txs []string // assigned in the body, never appended to: it may run again
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			tip, txs = c.Tip(tx), p.Snapshot(tx)
			tx.Check(tip > 0 && len(txs) > 0)
			return nil
		})
		fmt.Println(tip, txs)
	})
	_ = stm.Do(ctx, func(tx *stm.Tx) error { c.tip.Set(tx, 1); return nil })
	wg.Wait()
	// Output: 1 [pay]
}

// What the first alternative has done is undone when it retries.
func ExampleOrElse() {
	ctx := context.Background()
	savings, cash := stm.NewVar(3), stm.NewVar(20)
	pay := func(from *stm.Var[int], name string) func(tx *stm.Tx) string {
		return func(tx *stm.Tx) string {
			from.Update(tx, func(x int) int { return x - 5 })
			tx.Check(from.Get(tx) >= 0)
			return name
		}
	}
	who, _ := stm.Query(ctx, func(tx *stm.Tx) string {
		return stm.OrElse(tx, pay(savings, "savings"), pay(cash, "cash"))
	})
	fmt.Println(who, savings.Load(ctx), cash.Load(ctx))
	// Output: cash 3 15
}

// Select with ErrRetry is the cheap spelling.
func ExampleSelect() {
	ctx := context.Background()
	high, low := stm.NewVar([]int(nil)), stm.NewVar([]int{1, 2})
	pop := func(q *stm.Var[[]int]) func(tx *stm.Tx) (int, error) {
		return func(tx *stm.Tx) (int, error) {
			x := q.Get(tx)
			if len(x) == 0 {
				return 0, stm.ErrRetry
			}
			q.Set(tx, x[1:])
			return x[0], nil
		}
	}
	n, err := stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return stm.Select(tx, pop(high), pop(low)) })
	fmt.Println(n, err)
	// Output: 1 <nil>
}

// A part that may fail without taking the whole along.
func ExampleTry() {
	ctx := context.Background()
	paid, log := stm.NewVar(0), stm.NewVar("")
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		err := stm.Try(tx, func(tx *stm.Tx) error {
			paid.Set(tx, 100)
			return errFunds
		})
		log.Set(tx, fmt.Sprint("attempt: ", err))
		return nil
	})
	fmt.Println(paid.Load(ctx), log.Load(ctx))
	// Output: 0 attempt: insufficient funds
}

// Watch may skip values and never misses the last.
func ExampleWatch() {
	ctx := context.Background()
	height := stm.NewVar(1)
	var wg sync.WaitGroup
	wg.Go(func() {
		for h, err := range stm.Watch(ctx, height.Get) {
			if err != nil || h == 3 {
				fmt.Println("arrived at", h)
				return
			}
		}
	})
	for h := range 3 {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { height.Set(tx, h+1); return nil })
	}
	wg.Wait()
	// Output: arrived at 3
}

// Poll joins a transaction with Go channels.
func ExamplePoll() {
	ctx := context.Background()
	ready, requests := stm.NewVar(false), make(chan string, 1)
	requests <- "hello"
	isReady := func(tx *stm.Tx) bool { tx.Check(ready.Get(tx)); return true }
	for {
		_, waiter, err := stm.Poll(ctx, isReady)
		if err != nil || waiter == nil {
			fmt.Println("ready")
			return
		}
		select {
		case r := <-requests:
			fmt.Println("request", r)
			_ = stm.Do(ctx, func(tx *stm.Tx) error { ready.Set(tx, true); return nil })
		case <-waiter.C():
		}
		waiter.Stop()
	}
	// Output:
	// request hello
	// ready
}

// The functions of OnCommit run once, after the effects can be seen.
func ExampleTx_OnCommit() {
	ctx := context.Background()
	n := stm.NewVar(0)
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		n.Set(tx, 1)
		tx.OnCommit(func() { fmt.Println("committed", n.Load(ctx)) })
		return nil
	})
	// Output: committed 1
}
