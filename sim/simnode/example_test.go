package simnode_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnode"
)

// A node crashes in the middle of what it does, deferred functions included, and starts again.
func Example() {
	rep := sim.Run(1, func(ctx context.Context) error {
		n := simnode.New(ctx, "n1", simnode.Clock{Skew: time.Minute})
		for range 2 {
			err := n.Start(ctx, func(ctx context.Context) error {
				defer func() { fmt.Println(env.Now(ctx).Format(time.TimeOnly), "polite end") }()
				fmt.Println(env.Now(ctx).Format(time.TimeOnly), "up")
				return env.Sleep(ctx, time.Hour)
			})
			if err != nil {
				return err
			}
			if err := env.Sleep(ctx, time.Second); err != nil {
				return err
			}
			if err := n.Crash(ctx); err != nil {
				return err
			}
			fmt.Println(n.Wait(ctx))
		}
		return nil
	})
	fmt.Println(rep.Err)
	// Output:
	// 00:01:00 up
	// simnode: crashed
	// 00:01:01 up
	// simnode: crashed
	// <nil>
}
