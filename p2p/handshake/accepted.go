package handshake

import (
	"context"
	"maps"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Accepted is the set of peers whose proposal Answer has accepted, with the version agreed on. Its owner takes out a peer whose connection
// has ended, so it is as large as the connections.
type Accepted struct {
	peers *stm.Var[map[p2p.PeerID]uint16] // immutable maps
}

// NewAccepted is the empty set.
func NewAccepted() *Accepted {
	return &Accepted{stm.NewVar[map[p2p.PeerID]uint16](nil).Label("handshake.accepted")}
}

// Version is the version agreed on; false if the peer has not been accepted.
func (a *Accepted) Version(tx *stm.Tx, peer p2p.PeerID) (version uint16, ok bool) {
	version, ok = a.peers.Get(tx)[peer]
	return version, ok
}

// Forget takes the peer out: its next connection starts with a handshake.
func (a *Accepted) Forget(ctx context.Context, peer p2p.PeerID) {
	a.change(ctx, func(m map[p2p.PeerID]uint16) { delete(m, peer) })
}

func (a *Accepted) add(ctx context.Context, peer p2p.PeerID, version uint16) {
	a.change(ctx, func(m map[p2p.PeerID]uint16) { m[peer] = version })
}

// change never waits, so it cannot fail.
func (a *Accepted) change(ctx context.Context, f func(map[p2p.PeerID]uint16)) {
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
		next := maps.Clone(a.peers.Get(tx))
		if next == nil {
			next = map[p2p.PeerID]uint16{}
		}
		f(next)
		a.peers.Set(tx, next)
		return nil
	})
}
