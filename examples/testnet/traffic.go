package main

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/load"
	"github.com/synodkit/synod/examples/testnet/replica"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// traffic is the load on a network. Its transfers are looked for on the chain of the first node, which no fault touches.
type traffic struct {
	*load.Load
	done *registry.Task[struct{}] // the senders
}

// startTraffic puts the network under load.
func (n *network) startTraffic(ctx context.Context, s *registry.Scope) (*traffic, error) {
	first, h := n.locals[0], n.run.home
	cfg := load.Config{
		Rate: n.run.options.load, Make: n.transfer, Nodes: n.targets, Slot: h.Genesis.SlotAt,
		Tip:   func(tx *stm.Tx) chain.Hash { return first.status(tx).Tip },
		Chain: first.replica.Blocks, K: replica.K,
	}
	for _, key := range h.Load {
		cfg.Accounts = append(cfg.Accounts, coin.AddressOf(key.Public()))
	}
	l, err := load.New(cfg)
	if err != nil {
		return nil, err
	}
	from, err := stm.Query(ctx, func(tx *stm.Tx) uint64 { return first.status(tx).Height })
	if err != nil {
		return nil, err
	}
	s.Go("load follow", func(ctx context.Context) error { return l.Follow(ctx, from) })
	t := &traffic{Load: l}
	t.done = registry.Fork(s, "load", func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Run(ctx) })
	return t, nil
}

// targets are where transfers are sent.
func (n *network) targets(tx *stm.Tx) []string {
	all := n.urls(tx)
	if n.run.options.plant.urls != nil {
		n.run.options.plant.urls(all)
	}
	return all
}

// amount and fee of every transfer; the accounts start with enough for ages.
const (
	amount = 1
	fee    = coin.FeeMin
)

// transfer signs a transfer between two accounts.
func (n *network) transfer(from, to int, nonce uint64) ([]byte, error) {
	h := n.run.home
	t := coin.Transfer{To: coin.AddressOf(h.Load[to].Public()), Amount: amount, Fee: fee, Nonce: nonce}
	return coin.Sign(h.Load[from], h.Genesis.Hash(), t).Bytes(), nil
}

// drain ends the load, not before some of it is on the chain, and gives what is pending some time to come onto a chain that all hold to its end.
func (n *network) drain(ctx context.Context, t *traffic) error {
	limit := n.run.options.limits.settle
	if _, err := within(ctx, limit, func(tx *stm.Tx) bool { return t.Totals(tx).OnChain > 0 }); err != nil {
		return err
	}
	if err := t.Stop(ctx); err != nil {
		return err
	}
	if _, err := t.done.Wait(ctx); err != nil {
		return err
	}
	_, err := within(ctx, limit, func(tx *stm.Tx) bool {
		totals := t.Totals(tx)
		return totals.OnChain == totals.Accepted && n.level(tx)
	})
	return err
}

// account finds out what became of every accepted transfer, given up to which block all chains are the same. After an interrupt nobody is asked: a node may be down.
func (n *network) account(ctx context.Context, t *traffic, common uint64, interrupted bool) (*traded, error) {
	out := &traded{asked: n.run.options.load, report: t.Report()}
	for _, tr := range t.Outstanding(common) {
		if interrupted {
			out.pending++
			continue
		}
		held, err := n.held(ctx, tr.ID)
		if err != nil {
			return out, err
		}
		if held {
			out.pending++
			continue
		}
		out.lost = append(out.lost, fmt.Sprintf("%s, accepted by %s in slot %d", short(tr.ID), nodeName(tr.Node), tr.Slot))
	}
	return out, nil
}

// heldMax bounds the question whether somebody holds a transfer.
const heldMax = 5 * time.Second

// held reports whether a transfer is pending, or on the chain, of any node. Each is asked for one moment of its own, so a transfer is never missed between
// mempool and chain.
func (n *network) held(ctx context.Context, id chain.Hash) (bool, error) {
	ctx, cancel := env.WithTimeout(ctx, heldMax)
	defer cancel()
	for _, m := range n.members {
		held, err := m.holds(ctx, id)
		if held || err != nil {
			return held, err
		}
	}
	return false, nil
}
