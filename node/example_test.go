package node_test

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// A network of one leader and one follower, in a simulation. In production the same code runs with a p2p/libp2p network and a
// store/pebble store.
func ExampleStart() {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 1) // a simulated net, and a genesis with one leader
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			var nodes []*replica
			for i, dials := range [][]int{{}, {0}} {
				cfg, err := w.config(ctx, i, dials...)
				if err != nil {
					return err
				}
				if i > 0 {
					cfg.Key = sign.PrivateKey{}
				}
				n, err := node.Start(ctx, s, cfg)
				if err != nil {
					return err
				}
				nodes = append(nodes, n)
			}
			if _, err := agree(ctx, nodes, 3); err != nil { // waits in a transaction over both nodes
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error {
				fmt.Println("the follower has block", nodes[1].Tip(tx).BlockNo)
				fmt.Println("its ledger counts", nodes[1].Selection(tx).State.blocks)
				fmt.Println("it forged", nodes[1].Forged(tx), "and follows", nodes[1].Peers(tx))
				return nil
			})
		})
	})
	fmt.Println("error:", r.Err)
	// Output:
	// the follower has block 3
	// its ledger counts 3
	// it forged 0 and follows [n0]
	// error: <nil>
}
