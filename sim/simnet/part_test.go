package simnet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// TestPart: a partition cuts what crosses it and nothing else, refuses new connections across it, and ends.
func TestPart(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{})
		nodes := map[p2p.PeerID]*simnet.Node{}
		for _, id := range []p2p.PeerID{"a", "b", "c"} {
			node, err := net.Join(ctx, id, simnet.NodeConfig{})
			if err != nil {
				return err
			}
			nodes[id] = node
		}
		connect := func(from, to p2p.PeerID) error {
			_, err := nodes[from].Connect(ctx, string(to))
			return err
		}
		if err := errors.Join(connect("a", "b"), connect("b", "c"), connect("a", "c")); err != nil {
			return err
		}
		stream, err := nodes["a"].Open(ctx, "c", "/x/1")
		if err != nil {
			return err
		}
		if err := net.Part(ctx, "c", "nobody"); err != nil {
			return err
		}
		if got := connected(ctx, nodes["a"]) + connected(ctx, nodes["c"]); got != "[b] <nil>[] <nil>" {
			return fmt.Errorf("connected: %s", got)
		}
		if _, err := stream.Read(make([]byte, 1)); !errors.Is(err, p2p.ErrGone) {
			return fmt.Errorf("read: %w", err)
		}
		if err := connect("c", "b"); !errors.Is(err, simnet.ErrParted) {
			return fmt.Errorf("out of the partition: %w", err)
		}
		if nodes["c"], err = net.Join(ctx, "c", simnet.NodeConfig{}); err != nil { // a restart changes nothing
			return err
		}
		if err := connect("b", "c"); !errors.Is(err, simnet.ErrParted) {
			return fmt.Errorf("into the partition: %w", err)
		}
		if err := net.Heal(ctx); err != nil {
			return err
		}
		if got := connected(ctx, nodes["b"]); got != "[a] <nil>" {
			return fmt.Errorf("healed: %s", got)
		}
		if err := connect("b", "c"); err != nil {
			return err
		}
		return stm.Do(ctx, func(tx *stm.Tx) error {
			if len(nodes["b"].Connected(tx)) != 2 {
				return errors.New("not connected again")
			}
			return nil
		})
	})
}
