package env_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// Waiting for a value, but no longer than until an instant, is one condition.
func ExampleReached() {
	ctx := context.Background()
	inbox := stm.NewVar("")
	at := env.Now(ctx).Add(time.Millisecond)
	got, _ := stm.Query(ctx, func(tx *stm.Tx) string {
		if m := inbox.Get(tx); m != "" {
			return m
		}
		tx.Check(env.Reached(tx, at))
		return "nothing came"
	})
	fmt.Println(got)
	// Output: nothing came
}

// In a simulation an hour passes at once.
func ExampleSleep() {
	r := sim.Run(1, func(ctx context.Context) error { return env.Sleep(ctx, time.Hour) })
	fmt.Println(r.Elapsed, r.Err)
	// Output: 1h0m0s <nil>
}

func ExampleNewTimer() {
	ctx := context.Background()
	t := env.NewTimer(ctx, time.Hour)
	defer t.Stop()
	fired, _ := stm.Query(ctx, t.Fired)
	fmt.Println(fired)
	// Output: false
}

func ExampleWithTimeout() {
	ctx, cancel := env.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	fmt.Println(errors.Is(env.Sleep(ctx, time.Hour), context.DeadlineExceeded))
	// Output: true
}

func ExampleChoose() {
	flip := func(ctx context.Context) error {
		fmt.Println([]string{"heads", "tails"}[env.Choose(ctx, "coin", 2)])
		return nil
	}
	sim.Run(3, flip)
	sim.Run(3, flip) // the same seed, the same side
	// Output:
	// tails
	// tails
}

func ExampleFault() {
	write := func(ctx context.Context) error { return env.Fault(ctx, "store.write") }
	ctx := env.WithFaults(context.Background(), func(site string) error {
		if site == "store.write" {
			return errors.New("disk full")
		}
		return nil
	})
	fmt.Println(write(context.Background()), write(ctx))
	// Output: <nil> disk full
}
