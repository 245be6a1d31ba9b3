package tail_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/tail"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// One writes, the other reads along, over a simulated link of 20 ms.
func Example() {
	rep := sim.Run(1, func(ctx context.Context) error {
		mine, theirs := simnet.NewLink(ctx, simnet.Config{Latency: 20 * time.Millisecond}).Pipe()
		log := tail.NewLog()
		began := env.Now(ctx)
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("serve", func(ctx context.Context) error { return tail.Serve(ctx, p2p.Conn{Stream: theirs}, log) })
			s.Go("write", func(ctx context.Context) error {
				return errors.Join(write(ctx, log, "one"), write(ctx, log, "two"), env.Sleep(ctx, time.Hour), write(ctx, log, "three"))
			})
			return tail.Follow(ctx, p2p.Conn{Stream: mine}, 0, func(line string) bool {
				fmt.Println(env.Now(ctx).Sub(began), line)
				return line != "three"
			})
		})
	})
	fmt.Println(rep.Err)
	// Output:
	// 40ms one
	// 40ms two
	// 1h0m0.02s three
	// <nil>
}

func write(ctx context.Context, log *tail.Log, line string) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { return log.Append(tx, line) })
}
