package main

import (
	"context"
	"fmt"
	"io"

	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// network is the running nodes.
type network struct {
	run     *run
	members []*member
	// addresses of all nodes, once they all listen: only then can they dial.
	addresses *stm.Var[[]string]
}

// startNetwork starts every node, each a daemon with a scope of its own, and waits until all are up.
func startNetwork(ctx context.Context, s *registry.Scope, r *run) (*network, error) {
	n := &network{run: r, addresses: stm.NewVar[[]string](nil).Label("testnet.addresses")}
	var addresses []string
	for i := range r.home.keys {
		m := newMember(n, i)
		n.members = append(n.members, m)
		err := s.Daemon(ctx, m.name, func(ctx context.Context, ready func()) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				return m.start(ctx, s, ready)
			}, registry.WithName(m.name))
		})
		if err != nil {
			return nil, err // it names the node
		}
		addresses = append(addresses, m.address)
	}
	err := stm.Do(ctx, func(tx *stm.Tx) error { n.addresses.Set(tx, addresses); return nil })
	if err != nil {
		return nil, err
	}
	return n, stm.Do(ctx, func(tx *stm.Tx) error {
		for _, m := range n.members {
			tx.Check(m.node.Get(tx) != nil)
		}
		return nil
	})
}

// banner says what is running, and where to look.
func (n *network) banner(out io.Writer) {
	g := n.run.home.genesis
	where := "in memory"
	if n.run.home.dir != "" {
		where = "in " + n.run.home.dir
	}
	fmt.Fprintf(out, "%d nodes, slots of %v, genesis %s, keys from %s, chains %s\n",
		len(n.members), g.SlotLength, short(g.Hash()), origin(g), where)
	for _, m := range n.members {
		fmt.Fprintf(out, "%s %s/status %s\n", m.name, m.url, m.address)
	}
}

// moment reads all nodes at once: they share one memory, so one transaction sees them all.
func (n *network) moment(tx *stm.Tx) moment {
	out := moment{views: make([]view, len(n.members))}
	for i, m := range n.members {
		out.views[i] = m.read(tx)
	}
	return out
}

// agreed reports whether all nodes hold the same block with number until. Blocks are linked by hash, so then all before it are the same.
func (n *network) agreed(tx *stm.Tx, until uint64) bool {
	first, known := n.members[0].hashAt(tx, until)
	for _, m := range n.members[1:] {
		h, ok := m.hashAt(tx, until)
		if known && ok && h != first {
			return false
		}
	}
	return true
}
