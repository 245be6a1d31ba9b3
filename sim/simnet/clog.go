package simnet

import (
	"context"
	"maps"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Clog holds up everything that goes from one node to another, what is on its way too, until Unclog. Nobody is told: reads wait, writes go on until the window is
// full, and after Config.IdleTimeout the connection is gone for both. One way at a time, it is a partition that only one side notices. Datagrams are
// lost. New connections wait.
func (n *Net) Clog(ctx context.Context, from, to p2p.PeerID) error {
	return n.clog(ctx, trip{from, to}, true)
}

// Unclog ends Clog; what was held up arrives.
func (n *Net) Unclog(ctx context.Context, from, to p2p.PeerID) error {
	return n.clog(ctx, trip{from, to}, false)
}

func (n *Net) clog(ctx context.Context, t trip, on bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		clogs := maps.Clone(n.clogs.Get(tx))
		if clogs == nil {
			clogs = map[trip]bool{}
		}
		if clogs[t] = true; !on {
			delete(clogs, t)
		}
		n.clogs.Set(tx, clogs)
		if node := n.nodes.Get(tx)[t.from]; node != nil {
			if i, ok := node.find(tx, t.to); ok {
				node.conns.Get(tx)[i].out.set(tx, on, node.world.now(tx))
			}
		}
		return nil
	})
}

func (n *Net) clogged(tx *stm.Tx, from, to p2p.PeerID) bool { return n.clogs.Get(tx)[trip{from, to}] }

// Cut cuts the connections between two nodes, once: both notice at once.
func (n *Net) Cut(ctx context.Context, a, b p2p.PeerID) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		if node := n.nodes.Get(tx)[a]; node != nil {
			if i, ok := node.find(tx, b); ok {
				node.cut(tx, node.conns.Get(tx)[i])
			}
		}
		return nil
	})
}

// Drop takes a node from the net as the end of its process does: its connections are cut, and peers notice at once.
func (n *Net) Drop(ctx context.Context, id p2p.PeerID) error {
	return n.remove(ctx, id, func(tx *stm.Tx, node *Node) { node.hangUp(tx) })
}

// Vanish takes a node from the net as the loss of its power does: nobody is told. Its peers' connections are half-open: they hear nothing
// more, their writes go on until the window is full, and they are gone after Config.IdleTimeout, or when the node has come back and connects.
func (n *Net) Vanish(ctx context.Context, id p2p.PeerID) error {
	return n.remove(ctx, id, func(tx *stm.Tx, node *Node) {
		for _, c := range node.conns.Get(tx) {
			c.out.set(tx, true, node.world.now(tx))
			c.in.set(tx, true, node.world.now(tx))
		}
	})
}

func (n *Net) remove(ctx context.Context, id p2p.PeerID, f func(tx *stm.Tx, node *Node)) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		nodes := n.nodes.Get(tx)
		node := nodes[id]
		if node == nil {
			return nil
		}
		f(tx, node)
		nodes = maps.Clone(nodes)
		delete(nodes, id)
		n.nodes.Set(tx, nodes)
		return nil
	})
}

// reach is the node called to, if from can reach it.
func (n *Net) reach(tx *stm.Tx, from, to p2p.PeerID) (*Node, error) {
	if err := n.parted(tx, from, to); err != nil {
		return nil, err
	}
	return n.find(tx, to)
}
