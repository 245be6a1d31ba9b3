package scenario_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/scenario"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

// dialler keeps connecting to everybody.
func dialler(net *simnet.Net, id p2p.PeerID, others []p2p.PeerID, dials *stm.Var[int]) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		n, err := net.Join(ctx, id, simnet.NodeConfig{})
		for err == nil {
			for _, o := range others {
				if o == id {
					continue
				}
				if _, err := n.Connect(ctx, string(o)); err == nil {
					_ = stm.Do(ctx, func(tx *stm.Tx) error { dials.Set(tx, dials.Get(tx)+1); return nil })
				} else if !errors.Is(err, simnet.ErrParted) && !errors.Is(err, simnet.ErrNoNode) {
					return err
				}
			}
			err = env.Sleep(ctx, time.Millisecond)
		}
		return err
	}
}

// Partitions come and go, cut connections, and are over in the liveness phase.
func TestPartitions(t *testing.T) {
	parted := 0
	for seed := range uint64(10) {
		r := sim.Run(seed, func(ctx context.Context) error {
			net, ids, dials := simnet.New(simnet.Config{Latency: time.Millisecond}), []p2p.PeerID{"a", "b", "c"}, stm.NewVar(0)
			s := scenario.Scenario{
				Faults:  []scenario.Fault{scenario.Partition(scenario.Fault{Name: "partition", Every: 50 * time.Millisecond, For: 50 * time.Millisecond}, net, ids...)},
				Clients: []scenario.Client{{Name: "clock", Run: func(ctx context.Context) error { return env.Sleep(ctx, time.Second) }}},
				Liveness: &scenario.Liveness{
					Core: []string{"a", "b", "c"}, By: 10, Within: time.Second,
					Progress: dials.Get,
				},
			}
			for _, id := range ids {
				s.Nodes = append(s.Nodes, scenario.Node{Name: string(id), Run: dialler(net, id, ids, dials)})
			}
			return s.Run(ctx)
		})
		require.NoError(t, r.Err)
		parted += r.Faults["partition"]
	}
	require.Greater(t, parted, 40)
}
