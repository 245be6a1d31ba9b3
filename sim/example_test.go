package sim_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// An hour of two tasks, in no time.
func ExampleRun() {
	scenario := func(ctx context.Context) error {
		beats := stm.NewVar(0).Label("beats")
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("heart", func(ctx context.Context) error {
				for range 3600 {
					if err := env.Sleep(ctx, time.Second); err != nil {
						return err
					}
					_ = stm.Do(ctx, func(tx *stm.Tx) error { beats.Update(tx, func(n int) int { return n + 1 }); return nil })
				}
				return nil
			})
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(beats.Get(tx) == 3600); return nil })
		})
	}
	a, b, c := sim.Run(1, scenario), sim.Run(1, scenario), sim.Run(2, scenario)
	fmt.Println(a.Err, a.Elapsed, a.Hash == b.Hash, a.Hash == c.Hash)
	// Output: <nil> 1h0m0s true false
}

// A deadlock is an error that names who waits for what.
func ExampleDeadlockError() {
	r := sim.Run(1, func(ctx context.Context) error {
		left, right := stm.NewVar(false).Label("left fork"), stm.NewVar(true).Label("right fork")
		return stm.Do(ctx, func(tx *stm.Tx) error {
			tx.Check(left.Get(tx) && right.Get(tx))
			return nil
		})
	})
	fmt.Println(r.Err)
	// Output: sim: deadlock: main waits for left fork
}

// A recorded trace is one line a step.
func ExampleRecord() {
	r := sim.Run(1, func(ctx context.Context) error {
		balance := stm.NewVar(0).Label("balance")
		return stm.Do(ctx, func(tx *stm.Tx) error { balance.Set(tx, balance.Get(tx)+1); return nil })
	}, sim.Record())
	for _, line := range r.Trace {
		fmt.Println(line)
	}
	// Output: 1 0s main: reads balance writes balance
}
