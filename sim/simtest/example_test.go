package simtest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/synodkit/synod/sim/simtest"
	"github.com/synodkit/synod/stm"
)

// All schedules of two transfers, up to equivalence.
func ExampleExplore() {
	t := new(testing.T) // of the test function
	res := simtest.Explore(t, func(ctx context.Context) error {
		a, b := stm.NewVar(10), stm.NewVar(0)
		transfer := func(ctx context.Context) error {
			return stm.Do(ctx, func(tx *stm.Tx) error { a.Set(tx, a.Get(tx)-1); b.Set(tx, b.Get(tx)+1); return nil })
		}
		err := start(ctx, transfer, transfer)
		if a.Load(ctx)+b.Load(ctx) != 10 {
			return errLost
		}
		return err
	})
	fmt.Println(res.Runs, res.Complete)
	// Output: 2 true
}

// Many schedules of a program of any size; the replay line brings back the one that fails.
func ExampleCheck() {
	t := new(testing.B) // of the test function
	simtest.Check(t, func(ctx context.Context) error {
		v := stm.NewVar(0)
		return start(ctx,
			func(ctx context.Context) error { return set(ctx, v, 1) },
			func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx) == 1); return nil })
			})
	}, simtest.Runs(50))
	fmt.Println(t.Failed())
	// Output: false
}

func ExampleReplay() {
	r := simtest.Replay(new(testing.T), "1 0*1,0.2*1,0.1*2", lostUpdate(2, 0))
	fmt.Println(r.Err)
	// Output: lost update
}
