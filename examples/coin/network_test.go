package coin_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

var _ node.Ledger[coin.State, coin.Transfer] = coin.Ledger{}

type replica = node.Node[coin.State, coin.Transfer]

// spender wants to spend 60 of its 100 twice.
var spender = sign.KeyFromSeed([32]byte{100})

func shop(i int) coin.Address {
	return coin.AddressOf(sign.KeyFromSeed([32]byte{200, byte(i)}).Public())
}

func genesisAt(now time.Time, leaders int) (chain.Genesis, error) {
	g := chain.Genesis{Network: "coins", Start: now.UTC().Truncate(time.Millisecond), SlotLength: time.Second}
	for i := range leaders {
		pub := sign.KeyFromSeed([32]byte{byte(i + 1)}).Public()
		g.Keys = append(g.Keys, pub[:])
	}
	var err error
	g.Ledger, err = coin.EncodeAllocations([]coin.Allocation{{Address: coin.AddressOf(spender.Public()), Amount: 100}})
	return g, err
}

func start(ctx context.Context, s *registry.Scope, net *simnet.Net, g chain.Genesis, n int) ([]*replica, error) {
	var nodes []*replica
	var dial []string
	for i := range n {
		name := p2p.PeerID(fmt.Sprintf("n%d", i))
		at, err := net.Join(ctx, name, simnet.NodeConfig{})
		if err != nil {
			return nil, err
		}
		ledger, initial, err := coin.NewLedger(g)
		if err != nil {
			return nil, err
		}
		running, err := node.Start(ctx, s, node.Config[coin.State, coin.Transfer]{
			Genesis: g, K: 50, Ledger: ledger, Initial: initial, Store: store.NewMemory(), Network: at, Peers: peers.NewLedger(peers.Config{}),
			Key: sign.KeyFromSeed([32]byte{byte(i + 1)}), Dial: dial,
		})
		if err != nil {
			return nil, err
		}
		nodes, dial = append(nodes, running), append(dial, string(name))
	}
	return nodes, nil
}

// doubleSpend cuts three nodes into two and one, spends the same money on either side, waits until both sides have it in a block, and heals.
// One of the payments must be gone, on all nodes, which have the same root and the whole supply.
func doubleSpend(ctx context.Context, s *registry.Scope) error {
	net := simnet.New(simnet.Config{Latency: 20 * time.Millisecond, Jitter: 10 * time.Millisecond})
	g, err := genesisAt(env.Now(ctx), 3)
	if err != nil {
		return err
	}
	nodes, err := start(ctx, s, net, g, 3)
	if err != nil {
		return err
	}
	await := func(what func(tx *stm.Tx) bool) error {
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(what(tx)); return nil })
	}
	if err := await(func(tx *stm.Tx) bool { return nodes[2].Tip(tx).BlockNo >= 2 }); err != nil {
		return err
	}
	if err := net.Part(ctx, "n2"); err != nil {
		return err
	}
	for shopAt, i := range []int{0, 2} {
		pay := coin.Sign(spender, g.Hash(), coin.Transfer{To: shop(shopAt), Amount: 60, Fee: 1})
		if _, err := nodes[i].Pool().Submit(ctx, pay.Bytes()); err != nil {
			return err
		}
	}
	paid := func(tx *stm.Tx, i, shopAt int) bool {
		return nodes[i].Selection(tx).State.Account(shop(shopAt)).Balance == 60
	}
	if err := await(func(tx *stm.Tx) bool { return paid(tx, 0, 0) && paid(tx, 1, 0) && paid(tx, 2, 1) }); err != nil {
		return err
	}
	if stm.Do(ctx, func(tx *stm.Tx) error { return oneIsGone(tx, nodes) }) == nil {
		return errors.New("the judge does not see money spent twice")
	}
	if err := net.Heal(ctx); err != nil {
		return err
	}
	if err := await(func(tx *stm.Tx) bool {
		return nodes[0].Tip(tx) == nodes[1].Tip(tx) && nodes[1].Tip(tx) == nodes[2].Tip(tx)
	}); err != nil {
		return err
	}
	return stm.Do(ctx, func(tx *stm.Tx) error { return oneIsGone(tx, nodes) })
}

func oneIsGone(tx *stm.Tx, nodes []*replica) error {
	for _, n := range nodes {
		s := n.Selection(tx).State
		var have uint64
		for _, x := range s.Accounts() {
			have += x.Balance
		}
		switch kept := s.Account(shop(0)).Balance + s.Account(shop(1)).Balance; {
		case kept != 60:
			return fmt.Errorf("the shops have %d of 60", kept)
		case s.Root() != nodes[0].Selection(tx).State.Root():
			return errors.New("one tip and two roots")
		case have != 100 || s.Supply() != 100:
			return fmt.Errorf("the accounts have %d, the supply is %d of 100", have, s.Supply())
		case len(n.Violations(tx)) > 0:
			return fmt.Errorf("an honest node was accused: %w", n.Violations(tx)[0])
		}
	}
	return nil
}

func TestDoubleSpend(t *testing.T) {
	for seed := range uint64(long.N(3, 100)) {
		done := errors.New("done")
		r := sim.Run(seed, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				if err := doubleSpend(ctx, s); err != nil {
					return err
				}
				return done // ends the nodes
			})
		})
		if !errors.Is(r.Err, done) || len(r.Err.Error()) != len(done.Error()) {
			t.Fatalf("seed %d: %v", seed, r.Err)
		}
	}
}
