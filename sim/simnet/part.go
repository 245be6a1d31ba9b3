package simnet

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// ErrParted says that two nodes are on different sides of a partition. It is an error of Connect.
var ErrParted = errors.New("simnet: parted")

// Part makes a partition: the nodes of side, and those that join under their names, are on one side of it, all others on the other. Every
// connection between the sides is cut, and no new one can be made until Heal. It takes the place of an earlier partition.
func (n *Net) Part(ctx context.Context, side ...p2p.PeerID) error {
	away := make(map[p2p.PeerID]bool, len(side))
	for _, id := range side {
		away[id] = true
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		n.away.Set(tx, away)
		nodes := n.nodes.Get(tx)
		for _, id := range side { // in a fixed order: runs must repeat
			if node := nodes[id]; node != nil {
				node.part(tx)
			}
		}
		return nil
	})
}

// Heal ends the partition. It connects nobody.
func (n *Net) Heal(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { n.away.Set(tx, nil); return nil })
}

// parted is why two nodes cannot reach each other, or nil.
func (n *Net) parted(tx *stm.Tx, a, b p2p.PeerID) error {
	if away := n.away.Get(tx); away[a] != away[b] {
		return fmt.Errorf("%w: %s and %s", ErrParted, a, b)
	}
	return nil
}

// part cuts a node's connections to the other side.
func (n *Node) part(tx *stm.Tx) {
	for _, c := range n.conns.Get(tx) {
		if n.net.parted(tx, n.id, c.peer.id) != nil {
			n.cut(tx, c)
		}
	}
}
