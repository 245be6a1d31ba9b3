package libp2p

import (
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Links counts the connections known to a peer, living or being closed.
func (n *Network) Links(tx *stm.Tx, peer p2p.PeerID) int { return len(n.table.Get(tx)[peer]) }

// Streams counts the streams of a peer that have not been freed.
func (n *Network) Streams(tx *stm.Tx, peer p2p.PeerID) int {
	sum := 0
	for _, l := range n.table.Get(tx)[peer] {
		l.mu.Lock()
		sum += len(l.streams)
		l.mu.Unlock()
	}
	return sum
}

// ReadAnswer runs the check of a peer's answer over r, resuming after errors that resume says are temporary.
func ReadAnswer(protocol string, r interface{ Read([]byte) (int, error) }) error {
	_, a := propose(protocol)
	return a.read(r)
}

// Hello is what a well-behaved peer answers.
func Hello(protocol string) []byte { hello, _ := propose(protocol); return hello }
