package p2p

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// PeerID is a peer's authenticated identity, as its transport prints it (for libp2p the base58 text of the peer id).
type PeerID string

// Network is what a node needs of a transport. Package p2p/libp2p implements it on any go-libp2p host, sim/simnet for
// simulated nodes. There is one connection a peer, whichever side dialled it; each side opens its own streams on it.
// A network is given a refusal hook when it is made (Refuse func(PeerID) bool): a refused peer is neither
// dialled nor accepted. Every method may be called by any goroutine.
type Network interface {
	// Self is this node's own identity.
	Self() PeerID
	// Connect dials addr and authenticates the peer. An address that carries an identity must lead to that peer. A peer that is already
	// connected is returned at once.
	Connect(ctx context.Context, addr string) (PeerID, error)
	// Open makes a new stream on the existing connection; it never dials (an error that wraps ErrGone if there is none).
	// protocol is the full identifier, table.Protocol.ID.
	Open(ctx context.Context, peer PeerID, protocol string) (Stream, error)
	// Accept waits for the next inbound stream. The hand-over is bounded: what does not fit is reset, newest first.
	Accept(ctx context.Context) (Incoming, error)
	// Disconnect closes the connection, if any; every stream of it is then gone at both ends. It does not block.
	Disconnect(peer PeerID, code Code)
}

// Incoming is a stream that a peer has opened.
type Incoming struct {
	Peer     PeerID
	Protocol string
	Stream   Stream
}

// Connections is the query side of a Network: who is connected, in a stable order, at the transaction's moment.
type Connections interface {
	Connected(tx *stm.Tx) []PeerID
}
