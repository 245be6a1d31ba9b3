package scenario_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/property"
	"github.com/synodkit/synod/sim/scenario"
	"github.com/synodkit/synod/stm"
)

// A node that counts seconds and forgets them when it crashes.
func Example() {
	report := sim.Run(1, func(ctx context.Context) error {
		seconds, most := stm.NewVar(0), stm.NewVar(0)
		return scenario.Scenario{
			Nodes: []scenario.Node{{Name: "n", Run: func(ctx context.Context) error {
				for n := 0; ; n++ {
					err := stm.Do(ctx, func(tx *stm.Tx) error {
						seconds.Set(tx, n)
						most.Set(tx, max(n, most.Get(tx)))
						return nil
					})
					if err := errors.Join(err, env.Sleep(ctx, time.Second)); err != nil {
						return err
					}
				}
			}}},
			Faults:     []scenario.Fault{scenario.Crash(scenario.Fault{Name: "crash", Every: 10 * time.Second, For: time.Second})},
			Properties: []property.Property{property.Always("it never forgets", func(tx *stm.Tx) bool { s, m := seconds.Get(tx), most.Get(tx); return s == m })},
			Until:      func(tx *stm.Tx) bool { return most.Get(tx) == 60 },
		}.Run(ctx)
	})
	var violated *property.Error
	fmt.Println(errors.As(report.Err, &violated), violated.Property, "with crashes:", report.Faults["crash"])
	// Output: true always it never forgets with crashes: 1
}
