package simnet

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Node is one node's side of a Net: a p2p.Network and its query p2p.Connections.
type Node struct {
	net   *Net
	id    p2p.PeerID
	cfg   NodeConfig
	world world
	conns *stm.Var[[]conn]    // sorted by peer; immutable slices
	inbox *stm.Var[[]inbound] // in order of opening; immutable slices
}

// conn is one side of a connection.
type conn struct {
	peer *Node
	link *Link
}

type inbound struct {
	p2p.Incoming
	at time.Time // when it arrives
}

var (
	_ p2p.Network     = (*Node)(nil)
	_ p2p.Connections = (*Node)(nil)
)

// Self implements p2p.Network.
func (n *Node) Self() p2p.PeerID { return n.id }

// Connected implements p2p.Connections.
func (n *Node) Connected(tx *stm.Tx) []p2p.PeerID {
	var ids []p2p.PeerID
	for _, c := range n.conns.Get(tx) {
		ids = append(ids, c.peer.id)
	}
	return ids
}

func (n *Node) find(tx *stm.Tx, peer p2p.PeerID) (int, bool) {
	return slices.BinarySearchFunc(n.conns.Get(tx), peer, func(c conn, id p2p.PeerID) int {
		return strings.Compare(string(c.peer.id), string(id))
	})
}

// Connect implements p2p.Network. An address is a node's identity; a round trip passes.
func (n *Node) Connect(ctx context.Context, addr string) (p2p.PeerID, error) {
	peer := p2p.PeerID(addr)
	if peer == n.id {
		return "", fmt.Errorf("%w: %q is this node", ErrRefused, addr)
	}
	if connected, err := stm.Query(ctx, func(tx *stm.Tx) bool { _, ok := n.find(tx, peer); return ok }); connected || err != nil {
		return peer, err
	}
	link := NewLink(ctx, n.net.cfg)
	if err := env.Sleep(ctx, link.delay()+link.delay()); err != nil {
		return "", err
	}
	other, err := stm.Atomically(ctx, func(tx *stm.Tx) (*Node, error) { return n.net.find(tx, peer) })
	if err != nil {
		return "", err
	}
	if n.refuses(peer) || other.refuses(n.id) {
		return "", fmt.Errorf("%w: %s and %s", ErrRefused, n.id, peer)
	}
	return peer, stm.Do(ctx, func(tx *stm.Tx) error {
		if err := n.net.parted(tx, n.id, peer); err != nil {
			return err
		}
		other, err := n.net.find(tx, peer) // it may have left, and somebody may have connected
		if err != nil {
			return err
		}
		if me, err := n.net.find(tx, n.id); err != nil || me != n {
			return fmt.Errorf("%w: %s has left", ErrNoNode, n.id)
		}
		if _, ok := n.find(tx, peer); !ok {
			n.add(tx, conn{other, link})
			other.add(tx, conn{n, link})
		}
		return nil
	})
}

func (n *Node) refuses(peer p2p.PeerID) bool { return n.cfg.Refuse != nil && n.cfg.Refuse(peer) }

func (n *Node) add(tx *stm.Tx, c conn) {
	i, _ := n.find(tx, c.peer.id)
	n.conns.Set(tx, slices.Insert(slices.Clone(n.conns.Get(tx)), i, c))
}

func (n *Node) remove(tx *stm.Tx, link *Link) {
	n.conns.Set(tx, slices.DeleteFunc(slices.Clone(n.conns.Get(tx)), func(c conn) bool { return c.link == link }))
}

// Open implements p2p.Network.
func (n *Node) Open(ctx context.Context, peer p2p.PeerID, protocol string) (p2p.Stream, error) {
	type opened struct {
		mine p2p.Stream
		full *Stream // no room at the other side
	}
	delays := n.delays()
	o, err := stm.Atomically(ctx, func(tx *stm.Tx) (opened, error) {
		i, ok := n.find(tx, peer)
		if !ok {
			return opened{}, fmt.Errorf("simnet: %s to %s: %w", n.id, peer, p2p.ErrGone)
		}
		c := n.conns.Get(tx)[i]
		mine, theirs := c.link.Pipe()
		in := inbound{p2p.Incoming{Peer: n.id, Protocol: protocol, Stream: theirs}, env.Time(tx).Add(delays)}
		waiting := c.peer.inbox.Get(tx)
		if len(waiting) >= c.peer.cfg.AcceptMax {
			return opened{mine, theirs}, nil
		}
		c.peer.inbox.Set(tx, append(waiting[:len(waiting):len(waiting)], in))
		return opened{mine, nil}, nil
	})
	if o.full != nil {
		o.full.Reset(p2p.CodeShutdown)
	}
	return o.mine, err
}

// delays draws how long news of a stream takes.
func (n *Node) delays() time.Duration { return (&Link{cfg: n.net.cfg, world: n.world}).delay() }

// Accept implements p2p.Network.
func (n *Node) Accept(ctx context.Context) (p2p.Incoming, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (p2p.Incoming, error) {
		waiting := n.inbox.Get(tx)
		for i, in := range waiting {
			if env.Reached(tx, in.at) {
				n.inbox.Set(tx, slices.Delete(slices.Clone(waiting), i, i+1))
				return in.Incoming, nil
			}
		}
		return p2p.Incoming{}, stm.ErrRetry
	})
}

// Disconnect implements p2p.Network. Both sides see p2p.ErrGone; the code is not carried.
func (n *Node) Disconnect(peer p2p.PeerID, _ p2p.Code) {
	_ = n.world.do(func(tx *stm.Tx) error { // cannot fail: it never waits
		if i, ok := n.find(tx, peer); ok {
			n.cut(tx, n.conns.Get(tx)[i])
		}
		return nil
	})
}

func (n *Node) cut(tx *stm.Tx, c conn) {
	c.link.down.Set(tx, true)
	n.remove(tx, c.link)
	c.peer.remove(tx, c.link)
}

// hangUp ends all connections.
func (n *Node) hangUp(tx *stm.Tx) {
	for _, c := range n.conns.Get(tx) {
		n.cut(tx, c)
	}
	n.inbox.Set(tx, nil)
}
