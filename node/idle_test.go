package node_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
)

// steps are those of five nodes until they have some blocks; beside runs with each.
func steps(t *testing.T, slot time.Duration, blocks chain.BlockNo, beside func(ctx context.Context) error) int {
	r := sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 5)
		c.w.genesis.SlotLength = slot
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			if err := c.startAll(ctx, s, nil); err != nil {
				return err
			}
			for range c.nodes {
				if beside != nil {
					s.Go("beside", beside)
				}
			}
			_, err := agree(ctx, c.nodes, blocks)
			return err
		})
	})
	require.NoError(t, r.Err)
	return r.Steps
}

// TestNothingPolls: what an idle network does in a longer slot is the slot's block as ever, and more keepalive pings: nothing else comes with time.
func TestNothingPolls(t *testing.T) {
	const longer, pairs, most = 8, 20, 2 // seconds; directed pairs of five nodes; steps a second that pings of a pair take, generously
	added := func(beside func(ctx context.Context) error) int {
		perSlot := func(slot time.Duration) int { return (steps(t, slot, 60, beside) - steps(t, slot, 20, beside)) / 40 }
		short, long := perSlot(time.Second), perSlot((1+longer)*time.Second)
		t.Logf("steps a slot of five nodes: %d with slots of 1 s, %d with %d s", short, long, 1+longer)
		return long - short
	}
	require.Less(t, added(nil), longer*pairs*most)
	polling := func(ctx context.Context) error { // planted
		for {
			if err := env.Sleep(ctx, 100*time.Millisecond); err != nil {
				return err
			}
		}
	}
	require.Greater(t, added(polling), longer*pairs*most)
}
