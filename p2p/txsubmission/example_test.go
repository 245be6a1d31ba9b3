package txsubmission

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/sim"
)

// What a peer has and we lack comes, each transaction after those it needs; what we have is not asked for.
func Example() {
	rep := sim.Run(1, func(ctx context.Context) error {
		first, second, third := transaction(1, 0, 100), transaction(2, 1, 250), transaction(3, 2, 80) // each needs the one before
		theirs, ours := newPool(first, second, third), newPool(first)
		c, err := NewClient(Config{
			Sink: func(p2p.PeerID) Sink {
				return offering{ours, func(ctx context.Context, raw []byte) error {
					fmt.Println("a transaction of", len(raw), "bytes")
					return ours.Offer(ctx, raw)
				}}
			},
			Full:  func(err error) bool { return err == errFull },
			Blame: func(err error) bool { return err == errMalformed },
		})
		if err != nil {
			return err
		}
		_, err = pulling(ctx, c, func(ctx context.Context) error { return ours.knows(ctx, 3) }, serving(theirs)) // Serve there, Pull here
		return err
	})
	fmt.Println(rep.Err)
	// Output:
	// a transaction of 250 bytes
	// a transaction of 80 bytes
	// <nil>
}
