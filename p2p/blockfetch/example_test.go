package blockfetch

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/sim"
)

// A candidate that is better than our selection is reason enough: the missing bodies come, in order, each checked against its header.
func Example() {
	rep := sim.Run(1, func(ctx context.Context) error {
		theirs := blocks(3, 0)
		us := newNode() // selects the longest run of blocks delivered
		cfg := us.config()
		cfg.Deliver = func(ctx context.Context, b chain.Block) error {
			fmt.Println("block", b.Header.BlockNo(), "with a body of", len(b.Body), "bytes")
			return us.deliver(ctx, b)
		}
		_, err := fetching(ctx, client(cfg), func(ctx context.Context) error {
			return errors.Join(us.offer(ctx, "0", fragment(theirs)), us.selected(ctx, 3))
		}, serving(source(theirs)))
		return err
	})
	fmt.Println(rep.Err)
	// Output:
	// block 1 with a body of 6 bytes
	// block 2 with a body of 6 bytes
	// block 3 with a body of 6 bytes
	// <nil>
}
