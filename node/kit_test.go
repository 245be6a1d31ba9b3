package node_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// errDone ends a test's scope.
var errDone = errors.New("done")

// replica is a node of these tests, config what it is made of.
type (
	replica = node.Node[state, write]
	config  = node.Config[state, write]
)

func key(i int) sign.PrivateKey { return sign.KeyFromSeed([32]byte{byte(i + 1)}) }

func genesisOf(ctx context.Context, keys int) chain.Genesis {
	g := chain.Genesis{Network: "test", Start: env.Now(ctx).UTC().Truncate(time.Millisecond), SlotLength: time.Second}
	for i := range keys {
		public := key(i).Public()
		g.Keys = append(g.Keys, public[:])
	}
	return g
}

// world is a simulated network of nodes.
type world struct {
	net     *simnet.Net
	genesis chain.Genesis
	ended   *stm.Var[[]node.PeerEvent] // sessions between honest nodes that have ended
}

func newWorld(ctx context.Context, keys int) world {
	return world{
		net:     simnet.New(simnet.Config{Latency: 20 * time.Millisecond, Jitter: 10 * time.Millisecond}),
		genesis: genesisOf(ctx, keys), ended: stm.NewVar[[]node.PeerEvent](nil),
	}
}

func name(i int) p2p.PeerID { return p2p.PeerID(fmt.Sprintf("n%d", i)) }

// config is node i's, which dials the nodes given.
func (w world) config(ctx context.Context, i int, dials ...int) (config, error) {
	ledger := peers.NewLedger(peers.Config{})
	shielded := context.WithoutCancel(ctx)
	at, err := w.net.Join(ctx, name(i), simnet.NodeConfig{Refuse: func(p p2p.PeerID) bool {
		refused, _ := stm.Query(shielded, func(tx *stm.Tx) bool { return ledger.Refused(tx, p) })
		return refused
	}})
	cfg := config{
		Genesis: w.genesis, K: 10, Ledger: registers{}, Store: store.NewMemory(), Network: at, Peers: ledger, Key: key(i),
		Trace: node.Tracers{Peer: w.note},
	}
	for _, j := range dials {
		cfg.Dial = append(cfg.Dial, string(name(j)))
	}
	return cfg, err
}

// note keeps what ended between honest nodes.
func (w world) note(ctx context.Context, e node.PeerEvent) {
	if e.Kind == node.Ended && e.Peer != evil {
		_ = stm.Do(context.WithoutCancel(ctx), func(tx *stm.Tx) error {
			all := w.ended.Get(tx)
			w.ended.Set(tx, append(all[:len(all):len(all)], e))
			return nil
		})
	}
}

// undisturbed fails if a session between honest nodes has ended.
func (w world) undisturbed(ctx context.Context) error {
	if ended := w.ended.Load(ctx); len(ended) > 0 {
		return fmt.Errorf("honest nodes were cut off: %v", ended[0])
	}
	return nil
}

// mesh starts n nodes, each connected to all others.
func (w world) mesh(ctx context.Context, s *registry.Scope, n int) ([]*replica, error) {
	return w.meshOf(ctx, s, n, func(*config) {})
}

// meshOf is mesh with changed configurations.
func (w world) meshOf(ctx context.Context, s *registry.Scope, n int, change func(*config)) (nodes []*replica, err error) {
	for i := range n {
		var dials []int
		for j := range i {
			dials = append(dials, j)
		}
		cfg, err := w.config(ctx, i, dials...)
		if err != nil {
			return nil, err
		}
		change(&cfg)
		running, err := node.Start(ctx, s, cfg)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, running)
	}
	return nodes, nil
}

// agree waits until all nodes have the same tip, with at least that number.
func agree(ctx context.Context, nodes []*replica, height chain.BlockNo) (chain.Tip, error) {
	return stm.Query(ctx, func(tx *stm.Tx) chain.Tip {
		tip := nodes[0].Tip(tx)
		tx.Check(tip.BlockNo >= height)
		for _, n := range nodes {
			tx.Check(n.Tip(tx) == tip)
		}
		return tip
	})
}

// scoped runs body in a scope that ends with it, whatever still runs there.
func scoped(ctx context.Context, body func(ctx context.Context, s *registry.Scope) error) error {
	err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		if err := body(ctx, s); err != nil {
			return err
		}
		return errDone
	})
	if err == errDone {
		return nil
	}
	return err
}

// clean fails if a node has recorded a violation.
func clean(ctx context.Context, nodes ...*replica) error {
	for _, n := range nodes {
		vs, err := stm.Query(ctx, n.Violations)
		if err != nil {
			return err
		}
		if len(vs) > 0 {
			return fmt.Errorf("an honest node was accused: %w", vs[0])
		}
	}
	return nil
}
