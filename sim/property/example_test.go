package property_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/stm"
)

// Properties read what components show of themselves, in one transaction.
func Example() {
	r := sim.Run(1, func(ctx context.Context) error {
		open, served := stm.NewVar(3).Label("open requests"), stm.NewVar(0)
		property.Watch(ctx,
			property.Always("nothing is lost", func(tx *stm.Tx) bool { return open.Get(tx)+served.Get(tx) == 3 }),
			property.Cold("open", func(tx *stm.Tx) bool { return open.Get(tx) > 0 }, time.Minute),
		)
		for {
			if err := env.Sleep(ctx, 25*time.Second); err != nil {
				return err
			}
			err := stm.Do(ctx, func(tx *stm.Tx) error {
				tx.Check(open.Get(tx) > 0)
				open.Set(tx, open.Get(tx)-1)
				served.Set(tx, served.Get(tx)+1)
				return nil
			})
			if err != nil {
				return err
			}
		}
	})
	fmt.Println(r.Err)
	// Output: property: cold open: the state stays hot within 1m0s, 1m0s after the start; waiting: main waits for time
}

// Events are asked in order, each with those before it.
func ExampleEachEvent() {
	type voted struct{ Round, For int }
	r := sim.Run(1, func(ctx context.Context) error {
		votes := property.Record[voted](ctx)
		property.Watch(ctx, property.EachEvent("one vote a round", votes, func(before []voted, v voted) error {
			for _, b := range before {
				if b.Round == v.Round && b.For != v.For {
					return fmt.Errorf("voted for %d before", b.For)
				}
			}
			return nil
		}))
		tr := votes.Tracer()
		tr.Emit(ctx, voted{1, 7})
		tr.Emit(ctx, voted{2, 7})
		tr.Emit(ctx, voted{1, 8})
		return env.Sleep(ctx, 0)
	})
	fmt.Println(r.Err)
	// Output: property: each event one vote a round: {Round:1 For:8}: voted for 7 before, 0s after the start
}
