package libp2p

import (
	"context"
	"io"
	"sync"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Links counts the connections known to a peer, living or being closed.
func (n *Network) Links(tx *stm.Tx, peer p2p.PeerID) int { return len(n.table.Get(tx)[peer]) }

// Conns are the connections known to a peer that nobody has closed yet.
func (n *Network) Conns(ctx context.Context, peer p2p.PeerID) []network.Conn {
	var conns []network.Conn
	for _, l := range n.table.Load(ctx)[peer] {
		if !l.conn.IsClosed() {
			conns = append(conns, l.conn)
		}
	}
	return conns
}

// Streams counts the streams of a peer that have not been freed.
func (n *Network) Streams(ctx context.Context, peer p2p.PeerID) int {
	sum := 0
	for _, l := range n.table.Load(ctx)[peer] {
		l.mu.Lock()
		sum += len(l.streams)
		l.mu.Unlock()
	}
	return sum
}

// ReadAnswer checks a peer's answer, and tries again after each error for which again holds.
func ReadAnswer(protocol string, r io.Reader, again func(error) bool) error {
	_, a := propose(protocol)
	for {
		if err := a.read(r); err == nil || !again(err) {
			return err
		}
	}
}

// Hello is what a well-behaved peer answers.
func Hello(protocol string) []byte { hello, _ := propose(protocol); return hello }

// Add reports a connection as libp2p's callback does.
func (n *Network) Add(c network.Conn) { n.add(c) }

// Hold keeps the task of a peer's connection busy, with more to do than is allowed to be owed, until release is called.
func (n *Network) Hold(ctx context.Context, peer p2p.PeerID) (release func()) {
	over := make(chan struct{})
	l := n.table.Load(ctx)[peer][0]
	l.enqueue(func() { <-over })
	for range owedMax {
		l.enqueue(func() {})
	}
	return sync.OnceFunc(func() { close(over) })
}

// Queued counts the inbound streams that wait for Accept.
func (n *Network) Queued(ctx context.Context) int {
	queued, _ := stm.Query(ctx, n.inbox.waiting.Len)
	return queued
}
