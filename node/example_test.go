package node_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/mempool"
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
			text, err := stm.Query(ctx, func(tx *stm.Tx) string {
				return fmt.Sprintln("the follower has block", nodes[1].Tip(tx).BlockNo) +
					fmt.Sprintln("its ledger counts", nodes[1].Selection(tx).State.blocks) +
					fmt.Sprint("it forged ", nodes[1].Forged(tx), " and follows ", nodes[1].Peers(tx))
			})
			fmt.Println(text)
			return err
		})
	})
	fmt.Println("error:", r.Err)
	// Output:
	// the follower has block 3
	// its ledger counts 3
	// it forged 0 and follows [n0]
	// error: <nil>
}

// A client's write, handed to a follower, travels to the leader, which puts it into a block. Submit returns once the write is durable; what becomes
// of it can be asked, or waited for.
func ExampleNode_Pool() {
	r := sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 2) // a ledger of registers: a write names the version that it replaces
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			if err := c.start(ctx, s, 0, nil); err != nil {
				return err
			}
			if err := c.start(ctx, s, 1, mute); err != nil { // without a key: a follower
				return err
			}
			leader, follower := c.nodes[0], c.nodes[1]
			id, err := follower.Pool().Submit(ctx, write{Key: "greeting", Version: 0, Value: "hello"}.raw())
			if err != nil {
				return err
			}
			status, err := stm.Query(ctx, func(tx *stm.Tx) mempool.Status {
				st := follower.Pool().Status(tx, id)
				tx.Check(st.Stage == mempool.Included)
				return st
			})
			if err != nil {
				return err
			}
			fmt.Println(status.Stage, "in block", status.At.BlockNo)
			_, err = follower.Pool().Submit(ctx, write{Key: "greeting", Version: 0, Value: "again"}.raw())
			fmt.Println("refused:", errors.Is(err, mempool.ErrRefused))
			sel, err := stm.Query(ctx, leader.Selection)
			if err != nil {
				return err
			}
			fmt.Println("the leader has", sel.State.values["greeting"].value)
			return nil
		})
	})
	fmt.Println("error:", r.Err)
	// Output:
	// included in block 1
	// refused: true
	// the leader has hello
	// error: <nil>
}
