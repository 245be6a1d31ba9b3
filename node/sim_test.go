package node_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// converge lets three nodes make a chain in virtual time.
func converge(ctx context.Context) error {
	w := newWorld(ctx, 3)
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		nodes, err := w.mesh(ctx, s, 3)
		if err != nil {
			return err
		}
		if _, err := agree(ctx, nodes, 8); err != nil {
			return err
		}
		peers, err := stm.Query(ctx, func(tx *stm.Tx) string { return fmt.Sprint(nodes[0].Peers(tx)) })
		if err == nil && peers != "[n1 n2]" {
			err = fmt.Errorf("n0 follows %s", peers)
		}
		if err != nil {
			return err
		}
		return clean(ctx, nodes...)
	})
}

// TestConverge: the same seed gives the same run, to the step; another seed another.
func TestConverge(t *testing.T) {
	hashes := map[uint64]bool{}
	for seed := range uint64(4) {
		r := sim.Run(seed, converge)
		require.NoError(t, r.Err, "seed %d", seed)
		require.Less(t, r.Elapsed, time.Minute)
		again := sim.Run(seed, converge)
		require.Equal(t, r.Hash, again.Hash, "seed %d", seed)
		require.Equal(t, r.Steps, again.Steps)
		hashes[r.Hash] = true
	}
	require.Len(t, hashes, 4)
}

// TestConvergeProduction runs the same scenario on goroutines and the wall clock.
func TestConvergeProduction(t *testing.T) {
	require.NoError(t, scoped(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		w := newWorld(ctx, 2)
		w.net = simnet.New(simnet.Config{Latency: time.Millisecond}) // a block must travel in less than a slot
		w.genesis.SlotLength = 100 * time.Millisecond
		nodes, err := w.mesh(ctx, s, 2)
		if err != nil {
			return err
		}
		if _, err := agree(ctx, nodes, 4); err != nil {
			return err
		}
		return clean(ctx, nodes...)
	}))
}

// TestRestart: a node that starts again on its store goes on with its chain and catches up with what it missed.
func TestRestart(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 2)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			cfg0, err := w.config(ctx, 0)
			if err != nil {
				return err
			}
			stays, err := node.Start(ctx, s, cfg0)
			if err != nil {
				return err
			}
			cfg1, err := w.config(ctx, 1, 0)
			if err != nil {
				return err
			}
			st := cfg1.Store
			err = scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
				first, err := node.Start(ctx, s, cfg1)
				if err != nil {
					return err
				}
				_, err = agree(ctx, []*replica{stays, first}, 4)
				return err
			})
			if err != nil {
				return err
			}
			// It is down while the other goes on alone.
			if _, err := agree(ctx, []*replica{stays}, 8); err != nil {
				return err
			}
			if cfg1, err = w.config(ctx, 1, 0); err != nil { // a new connection point: the old one is cut
				return err
			}
			cfg1.Store = st
			second, err := node.Start(ctx, s, cfg1)
			if err != nil {
				return err
			}
			tip, err := stm.Query(ctx, second.Tip)
			if err != nil {
				return err
			}
			if tip.BlockNo < 4 {
				return fmt.Errorf("resumed at %v", tip)
			}
			_, err = agree(ctx, []*replica{stays, second}, 12)
			if err != nil {
				return err
			}
			return clean(ctx, stays, second)
		})
	})
	require.NoError(t, r.Err)
}

// TestPartition: two nodes that lose each other make their own chains, and agree again after the loss is healed, by a rollback.
func TestPartition(t *testing.T) {
	r := sim.Run(3, func(ctx context.Context) error {
		w := newWorld(ctx, 2)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			nodes, err := w.mesh(ctx, s, 1)
			if err != nil {
				return err
			}
			cfg, err := w.config(ctx, 1) // does not dial
			if err != nil {
				return err
			}
			alone, err := node.Start(ctx, s, cfg)
			if err != nil {
				return err
			}
			nodes = append(nodes, alone)
			err = stm.Do(ctx, func(tx *stm.Tx) error {
				tx.Check(nodes[0].Tip(tx).BlockNo >= 3 && nodes[1].Tip(tx).BlockNo >= 3)
				return nil
			})
			if err != nil {
				return err
			}
			if _, err := cfg.Network.Connect(ctx, string(name(0))); err != nil {
				return err
			}
			if _, err := agree(ctx, nodes, 6); err != nil {
				return err
			}
			rollbacks, err := stm.Query(ctx, func(tx *stm.Tx) uint64 { return nodes[0].Rollbacks(tx) + nodes[1].Rollbacks(tx) })
			if err == nil && rollbacks == 0 {
				err = fmt.Errorf("no rollback")
			}
			if err != nil {
				return err
			}
			return clean(ctx, nodes...)
		})
	})
	require.NoError(t, r.Err)
}
