package simdisk_test

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/store"
)

// What was durable is there after the power has failed; what was only written may be.
func Example() {
	rep := sim.Run(1, func(ctx context.Context) error {
		disk := simdisk.New(simdisk.Config{SyncTime: 5 * time.Millisecond})
		s, err := disk.Open(ctx)
		if err != nil {
			return err
		}
		for i, d := range []store.Durability{store.Durable, store.Written, store.Written} {
			b := new(store.Batch)
			b.Put(fmt.Append(nil, i), []byte(d.String()))
			ticket, err := s.Apply(ctx, b, d)
			if err != nil {
				return err
			}
			if err := ticket.Wait(ctx); err != nil {
				return err
			}
		}
		for _, image := range disk.Images(ctx) {
			s, err := image.Open(ctx)
			if err != nil {
				return err
			}
			fmt.Print("found:")
			for e := range s.Scan(nil, nil) {
				fmt.Printf(" %s %s", e.Key, e.Value)
			}
			fmt.Println()
		}
		return disk.PowerLoss(ctx)
	})
	fmt.Println(rep.Err)
	// Output:
	// found: 0 durable
	// found: 0 durable 1 written
	// found: 0 durable 1 written 2 written
	// <nil>
}
