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
	line  *line               // that all its links send over; nil: each has its own
	mail  *stm.Var[mail]
}

// conn is one side of a connection.
type conn struct {
	peer    *Node
	link    *Link
	out, in *way
}

type inbound struct {
	p2p.Incoming
	at  time.Time // when it arrives
	way *way      // over which
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
		if !c.link.Down(tx) {
			ids = append(ids, c.peer.id)
		}
	}
	return ids
}

// to is the living connection to peer.
func (n *Node) to(tx *stm.Tx, peer p2p.PeerID) (conn, bool) {
	i, ok := n.find(tx, peer)
	if !ok {
		return conn{}, false
	}
	c := n.conns.Get(tx)[i]
	return c, !c.link.Down(tx)
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
	if connected, err := stm.Query(ctx, func(tx *stm.Tx) bool { _, ok := n.to(tx, peer); return ok }); connected || err != nil {
		return peer, err
	}
	trip := NewLink(ctx, n.net.cfg)
	if err := env.Sleep(ctx, trip.delay()+trip.delay()); err != nil {
		return "", err
	}
	other, err := stm.Atomically(ctx, func(tx *stm.Tx) (*Node, error) { return n.net.reach(tx, n.id, peer) })
	if err != nil {
		return "", err
	}
	if n.refuses(peer) || other.refuses(n.id) {
		return "", fmt.Errorf("%w: %s and %s", ErrRefused, n.id, peer)
	}
	patience := n.patience(ctx)
	return peer, stm.Do(ctx, func(tx *stm.Tx) error { return n.join(tx, peer, patience) })
}

// patience is until when a connection waits for a net that is clogged; zero is for ever.
func (n *Node) patience(ctx context.Context) time.Time {
	if n.net.cfg.IdleTimeout <= 0 {
		return time.Time{}
	}
	return env.Now(ctx).Add(n.net.cfg.IdleTimeout)
}

// join makes the connection to peer, if nobody else has: it may have left, and somebody may have connected.
func (n *Node) join(tx *stm.Tx, peer p2p.PeerID, patience time.Time) error {
	other, err := n.net.reach(tx, n.id, peer)
	if err != nil {
		return err
	}
	if me := n.net.nodes.Get(tx)[n.id]; me != n {
		return fmt.Errorf("%w: %s has left", ErrNoNode, n.id)
	}
	if n.net.clogged(tx, n.id, peer) || n.net.clogged(tx, peer, n.id) {
		if !patience.IsZero() && env.Reached(tx, patience) {
			return fmt.Errorf("%w: %s and %s hear nothing of each other", ErrParted, n.id, peer)
		}
		return stm.ErrRetry
	}
	if _, ok := n.to(tx, peer); ok {
		return nil
	}
	for _, stale := range []struct {
		at *Node
		id p2p.PeerID
	}{{n, peer}, {other, n.id}} { // what one side has lost, or forgotten with its life
		if i, ok := stale.at.find(tx, stale.id); ok {
			stale.at.cut(tx, stale.at.conns.Get(tx)[i])
		}
	}
	link := newLink(n.world, n.net.cfg, n.sends(), other.sends())
	n.add(tx, conn{other, link, link.there, link.back})
	other.add(tx, conn{n, link, link.back, link.there})
	return nil
}

// sends is the line for what the node sends over a new link.
func (n *Node) sends() *line {
	if n.line != nil {
		return n.line
	}
	return newLine(n.net.cfg.BytesPerSecond)
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
		c, ok := n.to(tx, peer)
		if !ok {
			return opened{}, fmt.Errorf("simnet: %s to %s: %w", n.id, peer, p2p.ErrGone)
		}
		mine, theirs := c.link.pipe(c.out, c.in)
		in := inbound{p2p.Incoming{Peer: n.id, Protocol: protocol, Stream: theirs}, n.world.now(tx).Add(delays), c.out}
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
func (n *Node) delays() time.Duration {
	return (&Link{cfg: n.net.cfg.withDefaults(), world: n.world}).delay()
}

// Accept implements p2p.Network.
func (n *Node) Accept(ctx context.Context) (p2p.Incoming, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (p2p.Incoming, error) {
		waiting := n.inbox.Get(tx)
		for i, in := range waiting {
			if !in.way.clogged(tx) && n.world.reached(tx, in.at) {
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
