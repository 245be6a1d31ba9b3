package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/testnet/replica"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// network is the running nodes.
type network struct {
	run       *run
	members   []member // all, by number
	locals    []*local // those in this process: all but the child, which is the last
	child     *child   // nil without --kill-restart
	partition *partition

	first *registry.Task[time.Duration] // from up to the first block
	goal  *stm.Var[uint64]              // the block that all must agree on; 0: none yet
	bites *stm.Var[[]fault]             // what the planned faults have come to, so far
	// addresses of the local nodes, once they all listen: only then can they dial.
	addresses *stm.Var[[]string]
}

func newNetwork(r *run) *network {
	n := &network{
		run: r, partition: newPartition(),
		goal:      stm.NewVar(r.options.until).Label("testnet.goal"),
		bites:     stm.NewVar[[]fault](nil).Label("testnet.faults"),
		addresses: stm.NewVar[[]string](nil).Label("testnet.addresses"),
	}
	all := len(r.home.Nodes)
	inside := all
	if r.options.kill {
		inside--
	}
	for i := range inside {
		m := &local{name: nodeName(i)}
		n.locals, n.members = append(n.locals, m), append(n.members, m)
	}
	return n
}

// start starts every node, each a daemon with a scope of its own, and waits until all are up.
func (n *network) start(ctx context.Context, s *registry.Scope) error {
	var addresses []string
	for i, m := range n.locals {
		cfg := n.run.config(i, func(p p2p.PeerID) bool { return n.partition.refuses(i, p) })
		err := s.Daemon(ctx, m.name, func(ctx context.Context, ready func()) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				return m.serve(ctx, s, cfg, ready, func(tx *stm.Tx) []string { return n.dials(tx, i) })
			}, registry.WithName(m.name))
		})
		if err != nil {
			return n.run.blame(err)
		}
		addresses = append(addresses, m.replica.Address())
	}
	n.partition.split(n.locals, len(n.run.home.Nodes))
	err := stm.Do(ctx, func(tx *stm.Tx) error { n.addresses.Set(tx, addresses); return nil })
	if err != nil {
		return err
	}
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		for _, m := range n.locals {
			tx.Check(m.up(tx))
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := n.awaitFirst(ctx, s); err != nil || !n.run.options.kill {
		return err
	}
	return n.startChild(ctx, s, addresses)
}

// awaitFirst starts to wait for the first block that this run adds to the chain.
func (n *network) awaitFirst(ctx context.Context, s *registry.Scope) error {
	height := func(tx *stm.Tx) (high uint64) {
		for _, m := range n.locals {
			high = max(high, m.status(tx).Height)
		}
		return high
	}
	base, err := stm.Query(ctx, height)
	n.first = registry.Fork(s, "first block", func(ctx context.Context) (time.Duration, error) {
		err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(height(tx) > base); return nil })
		return env.Now(ctx).Sub(n.run.start), err
	})
	return err
}

func (n *network) startChild(ctx context.Context, s *registry.Scope, addresses []string) error {
	i := len(n.locals)
	dir, err := n.childHome(s, i)
	if err != nil {
		return err
	}
	n.child = newChild(n, n.childArgs(dir, addresses))
	n.members = append(n.members, n.child)
	return s.Daemon(ctx, n.child.name, n.child.serve)
}

// dials are the addresses that local node i dials, once all local nodes listen.
func (n *network) dials(tx *stm.Tx, i int) []string {
	addresses := n.addresses.Get(tx)
	tx.Check(addresses != nil)
	topology := dials
	if n.run.options.plant.dials != nil {
		topology = n.run.options.plant.dials
	}
	var out []string
	for _, j := range topology(i, len(addresses)) {
		out = append(out, addresses[j])
	}
	return out
}

// banner says what is running, and where to look.
func (n *network) banner(ctx context.Context, out io.Writer) error {
	g := n.run.home.Genesis
	where := "in memory"
	if n.run.home.Dir != "" {
		where = "in " + n.run.home.Dir
	}
	fmt.Fprintf(out, "%d nodes, slots of %v, genesis %s, keys from %s, chains %s\n",
		len(n.members), g.SlotLength, short(g.Hash()), origin(n.run.home), where)
	for i, m := range n.members {
		s, err := stm.Query(ctx, m.status)
		if err != nil {
			return err
		}
		place := fmt.Sprintf("process %d", s.PID)
		if i < len(n.locals) {
			place = n.locals[i].replica.Address()
		}
		fmt.Fprintf(out, "%s %s/status %s\n", s.Name, s.URL, place)
	}
	return nil
}

// moment reads all nodes at once: those in this process share one memory, so one transaction sees them all.
func (n *network) moment(tx *stm.Tx) moment {
	out := moment{views: make([]view, len(n.members)), cut: n.partition.active(tx), faults: n.bites.Get(tx)}
	for i, m := range n.members {
		out.views[i] = m.status(tx)
	}
	if n.run.traffic != nil {
		out.loaded, out.totals = true, n.run.traffic.Totals(tx)
	}
	return out
}

// agreed reports whether all nodes hold the same block with a number. Blocks are linked by hash, so then all before it are the same. A block
// that is deeper than any rollback is in no memory, and cannot differ unnoticed: the verdict compares whole chains.
func (n *network) agreed(tx *stm.Tx, number uint64) bool {
	first, known := n.members[0].hashAt(tx, number)
	for _, m := range n.members {
		h, ok := m.hashAt(tx, number)
		if !ok && m.status(tx).Height < number+replica.K || known && ok && h != first {
			return false
		}
	}
	return true
}

// level reports whether all nodes have the same tip.
func (n *network) level(tx *stm.Tx) bool {
	first := n.members[0].status(tx).Tip
	return !slices.ContainsFunc(n.members, func(m member) bool { return m.status(tx).Tip != first })
}

// urls are the nodes' bases, empty while one does not run.
func (n *network) urls(tx *stm.Tx) []string {
	out := make([]string, len(n.members))
	for i, m := range n.members {
		out[i] = m.status(tx).URL
	}
	return out
}
