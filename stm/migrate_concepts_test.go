package stm_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// Examples of what example_test.go does not show.

// Atomically gives a value and an error. With an error nothing has happened.
func ExampleAtomically() {
	ctx := context.Background()
	next := stm.NewVar(1)
	take := func(limit int) (int, error) {
		return stm.Atomically(ctx, func(tx *stm.Tx) (int, error) {
			n := next.Get(tx)
			next.Set(tx, n+1)
			if n > limit {
				return n, errors.New("no numbers left")
			}
			return n, nil
		})
	}
	fmt.Println(take(1))
	fmt.Println(take(1))
	fmt.Println(next.Load(ctx))
	// Output:
	// 1 <nil>
	// 2 no numbers left
	// 2
}

// Query is one look at one moment; any function of a Tx is a query.
func ExampleQuery() {
	ctx := context.Background()
	x, y := stm.NewVar(3), stm.NewVar(4)
	sum, err := stm.Query(ctx, func(tx *stm.Tx) int { return x.Get(tx) + y.Get(tx) })
	fmt.Println(sum, err)
	fmt.Println(stm.Query(ctx, x.Get))
	// Output:
	// 7 <nil>
	// 3 <nil>
}

// Update is Get and Set. Load looks at one Var without a transaction. The zero Var is ready.
func ExampleVar() {
	ctx := context.Background()
	var visits stm.Var[int]
	visits.Label("visits") // the name in dumps and traces
	for range 2 {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			visits.Update(tx, func(n int) int { return n + 1 })
			return nil
		})
	}
	fmt.Println(visits.Load(ctx))
	// Output: 2
}

// Retry undoes the run and waits until what it has read has changed.
func ExampleTx_Retry() {
	ctx := context.Background()
	seats := stm.NewVar(0)
	var wg sync.WaitGroup
	wg.Go(func() {
		_ = stm.Do(ctx, func(tx *stm.Tx) error {
			if n := seats.Get(tx); n < 2 {
				tx.Retry()
			}
			seats.Update(tx, func(n int) int { return n - 2 })
			return nil
		})
		fmt.Println("seated")
	})
	for range 3 {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { seats.Update(tx, func(n int) int { return n + 1 }); return nil })
	}
	wg.Wait()
	fmt.Println(seats.Load(ctx))
	// Output:
	// seated
	// 1
}

// Retry as an expression, where a function has to give something back.
func ExampleRetry() {
	ctx := context.Background()
	names := stm.NewVar(map[int]string{7: "seven"})
	find := func(id int) func(tx *stm.Tx) string {
		return func(tx *stm.Tx) string {
			if name, ok := names.Get(tx)[id]; ok {
				return name
			}
			return stm.Retry[string](tx)
		}
	}
	name, err := stm.Query(ctx, func(tx *stm.Tx) string { return stm.OrElse(tx, find(8), find(7)) })
	fmt.Println(name, err)
	// Output: seven <nil>
}

// Time can be waited for like a change. Package env builds Reached and its timers on these two.
func ExampleTx_WakeAt() {
	report := sim.Run(1, func(ctx context.Context) error {
		begun := env.Now(ctx)
		opens, bell := begun.Add(time.Hour), stm.NewVar(false)
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			if bell.Get(tx) || !tx.Now().Before(opens) {
				return nil
			}
			tx.WakeAt(opens)
			return stm.ErrRetry // until the bell rings or the hour is over
		})
		fmt.Println(err, env.Now(ctx).Sub(begun))
		return nil
	})
	fmt.Println(report.Err)
	// Output:
	// <nil> 1h0m0s
	// <nil>
}

// Writers that would all meet at one Var are spread over several by their lanes. stm/tally does this.
func ExampleTx_Lane() {
	ctx := context.Background()
	var parts [8]stm.Var[int]
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_ = stm.Do(ctx, func(tx *stm.Tx) error {
				v := &parts[tx.Lane()%8]
				v.Set(tx, v.Get(tx)+1)
				return nil
			})
		})
	}
	wg.Wait()
	fmt.Println(stm.Query(ctx, func(tx *stm.Tx) int {
		sum := 0
		for i := range parts {
			sum += parts[i].Get(tx)
		}
		return sum
	}))
	// Output: 4 <nil>
}
