package libp2p

import (
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// SimultaneousWindow is how far apart two connections of one peer may have been opened to count as dialled at the same time.
const SimultaneousWindow = 10 * time.Second

// origin is what decides between two connections to the same peer. Both sides see the same dialer, and ages that differ by less than a
// round trip.
type origin struct {
	dialer p2p.PeerID
	opened time.Time
}

// ruling is what becomes of a connection that was there when a new one to the same peer came.
type ruling uint8

const (
	oldGoes    ruling = iota
	newGoes           // the new one is older: libp2p has told us late
	oldIsAsked        // it stays if it answers: else it is what a restarted peer has left behind
)

// against is the rule for a new connection o. Two peers that dialled each other at the same time both have both connections; o has just been
// proven alive by its handshake, so only the other one can be dead.
func (o origin) against(old origin) ruling {
	age := o.opened.Sub(old.opened)
	switch {
	case o.dialer != old.dialer && age.Abs() <= SimultaneousWindow:
		if old.dialer < o.dialer {
			return oldIsAsked
		}
		return oldGoes
	case age < 0:
		return newGoes
	}
	return oldGoes // the peer has dialled again, so it has lost the older
}

// challenge says which of a peer's links must go now that l has come, and which must prove that it lives.
func (l *link) challenge(tx *stm.Tx, others []*link) (losers []*link, ask *link) {
	for _, other := range others {
		if other.gone.Get(tx) != nil {
			continue
		}
		switch l.origin().against(other.origin()) {
		case oldGoes:
			losers = append(losers, other)
		case newGoes:
			return []*link{l}, nil
		case oldIsAsked:
			ask = other
		}
	}
	if ask != nil && ask.asked(tx) {
		ask = nil // the probe under way will do
	}
	return losers, ask
}

func (l *link) origin() origin {
	stat := l.conn.Stat()
	if stat.Direction == network.DirOutbound {
		return origin{p2p.PeerID(l.conn.LocalPeer().String()), stat.Opened}
	}
	return origin{l.peer, stat.Opened}
}
