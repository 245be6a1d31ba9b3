package node_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// partitioned lets five nodes carry writes, through forks, a partition in which both sides forge, and its healing.
func (c *cluster) partitioned(ctx context.Context) error {
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		if err := c.startAll(ctx, s, nil); err != nil {
			return err
		}
		if err := c.load(ctx, "whole", 15); err != nil {
			return err
		}
		minority := []int{3, 4}
		if err := c.part(ctx, minority...); err != nil {
			return err
		}
		fork, err := stm.Query(ctx, c.nodes[4].Tip)
		if err != nil {
			return err
		}
		if err := c.load(ctx, "parted", 30); err != nil {
			return err
		}
		if err := c.apart(ctx, fork); err != nil {
			return err
		}
		before, err := c.rollbacks(ctx)
		if err != nil {
			return err
		}
		if err := c.w.net.Heal(ctx); err != nil {
			return err
		}
		if err := c.load(ctx, "healed", 10); err != nil {
			return err
		}
		if err := c.settle(ctx); err != nil {
			return err
		}
		after, err := c.rollbacks(ctx)
		if err == nil && after == before {
			err = errors.New("nobody rolled anything back")
		}
		if err != nil {
			return err
		}
		return clean(ctx, c.nodes...)
	})
}

// apart waits until both sides have made blocks of their own after a point, the minority's with writes, and fails if they agree.
func (c *cluster) apart(ctx context.Context, fork chain.Tip) error {
	err := until(ctx, "both sides have forged", func(tx *stm.Tx) bool {
		return c.nodes[0].Tip(tx).BlockNo >= fork.BlockNo+3 && c.nodes[4].Tip(tx).BlockNo >= fork.BlockNo+2
	})
	if err != nil {
		return err
	}
	carried := 0
	for raws, err := range blocks(ctx, c.nodes[4], fork.BlockNo+1) {
		if err != nil {
			return err
		}
		carried += len(raws)
	}
	if carried == 0 {
		return errors.New("the minority's chain carries nothing")
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		a, b := c.nodes[0].Selection(tx), c.nodes[4].Selection(tx)
		if at, ok := a.Fragment.Intersect(b.Fragment); !ok || at == b.Tip().Point {
			return fmt.Errorf("no fork: %v and %v", a.Tip(), b.Tip())
		}
		return nil
	})
}

// TestRegistersPartition: nothing accepted is lost, and the same seed gives the same run.
func TestRegistersPartition(t *testing.T) {
	scenario := func(ctx context.Context) error { return newCluster(ctx, 5).partitioned(ctx) }
	hashes := map[uint64]bool{}
	for seed := range uint64(long.N(4, 200)) {
		r := sim.Run(seed, scenario)
		require.NoError(t, r.Err, "seed %d", seed)
		require.Less(t, r.Elapsed, 10*time.Minute)
		if again := sim.Run(seed, scenario); again.Hash != r.Hash || again.Steps != r.Steps {
			t.Fatalf("seed %d: %x and %x, %d and %d steps", seed, r.Hash, again.Hash, r.Steps, again.Steps)
		}
		require.False(t, hashes[r.Hash], "another seed, another run")
		hashes[r.Hash] = true
	}
}

// forgetful is planted: it finds no writes in blocks, so those of a block that is rolled back do not return.
type forgetful struct{ registers }

func (forgetful) Transactions(chain.Block) ([][]byte, error) { return nil, nil }

// offer hands a write to a node as a peer does: no journal keeps it.
func offer(ctx context.Context, n *replica, raw []byte) error { return n.Pool().Offer(ctx, raw) }

// TestRegistersReturned: what has no journal survives a rollback because it returns to the pools; if it did not, the test would see it.
func TestRegistersReturned(t *testing.T) {
	run := func(c *cluster, ctx context.Context) error {
		c.submit = offer
		return c.partitioned(ctx)
	}
	r := sim.Run(1, func(ctx context.Context) error { return run(newCluster(ctx, 5), ctx) })
	require.NoError(t, r.Err)
	r = sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 5)
		c.ledger = forgetful{}
		return run(c, ctx)
	})
	require.ErrorIs(t, r.Err, errLost)
}

// TestRegistersProduction carries writes on goroutines and the wall clock.
func TestRegistersProduction(t *testing.T) {
	c := newCluster(t.Context(), 3)
	c.w.net = simnet.New(simnet.Config{Latency: time.Millisecond})
	c.w.genesis.SlotLength, c.pace = 100*time.Millisecond, 20*time.Millisecond
	require.NoError(t, scoped(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		if err := c.startAll(ctx, s, nil); err != nil {
			return err
		}
		if err := c.load(ctx, "real", 20); err != nil {
			return err
		}
		if err := c.settle(ctx); err != nil {
			return err
		}
		return clean(ctx, c.nodes...)
	}))
}
