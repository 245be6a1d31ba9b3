package libp2p

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// table holds the links of each peer, oldest first: one lives, or two while the older is asked whether it does; others are being closed. It is a
// value: changed by copying.
type table map[p2p.PeerID][]*link

func (t table) find(peer p2p.PeerID, c network.Conn) *link {
	for _, l := range t[peer] {
		if l.conn == c {
			return l
		}
	}
	return nil
}

func (t table) with(peer p2p.PeerID, links []*link) table {
	t = maps.Clone(t)
	if len(links) == 0 {
		delete(t, peer)
	} else {
		t[peer] = links
	}
	return t
}

// alive is the link that has not been lost, if any: of two the older, which stays if it answers.
func alive(tx *stm.Tx, links []*link) *link {
	for _, l := range links {
		if l.gone.Get(tx) == nil {
			return l
		}
	}
	return nil
}

// lose marks the link as ended by us. Who calls it must then close it.
func (l *link) lose(tx *stm.Tx, why *GoneError) {
	if l.gone.Get(tx) == nil {
		l.gone.Set(tx, why)
	}
}

// verdict is what add decided.
type verdict struct {
	link   *link
	fresh  bool
	losers []*link // to be closed, with the code
	code   p2p.Code
	ask    *link // must prove that it lives, or lose to the new one
}

// add enters a connection and gives its link; nil if the network has ended. It is called by libp2p's callbacks, and by who may be ahead of them.
func (n *Network) add(c network.Conn) *link {
	made := newLink(n, c)
	refused := n.cfg.Refuse(made.peer)
	v, _ := stm.Atomically(context.Background(), func(tx *stm.Tx) (verdict, error) {
		if n.over.Get(tx) {
			return verdict{}, nil
		}
		t := n.table.Get(tx)
		if l := t.find(made.peer, c); l != nil {
			return verdict{link: l}, nil
		}
		v := verdict{link: made, fresh: true, losers: []*link{made}, code: codeGated}
		if !refused {
			v.losers, v.ask = made.challenge(tx, t[made.peer])
			v.code = p2p.CodeSupplanted
		}
		for _, l := range v.losers {
			l.lose(tx, &GoneError{Code: v.code})
		}
		n.table.Set(tx, t.with(made.peer, append(slices.Clip(t[made.peer]), made)))
		return v, nil
	})
	if !v.fresh {
		return v.link
	}
	if !n.tasks.start("link "+string(made.peer), made.run) {
		n.remove(c)
		_ = made.run(context.Background()) // does what is left to do, and ends
		return nil
	}
	for _, l := range v.losers {
		l.close(v.code)
	}
	if v.ask != nil {
		n.tasks.start("probe "+string(made.peer), v.ask.probe)
	}
	if c.IsClosed() { // its Disconnected may have come before
		n.remove(c)
	}
	return v.link
}

// remove takes a connection out that libp2p has closed.
func (n *Network) remove(c network.Conn) {
	peer, why := p2p.PeerID(c.RemotePeer().String()), epitaph(c)
	l, _ := stm.Query(context.Background(), func(tx *stm.Tx) *link {
		t := n.table.Get(tx)
		l := t.find(peer, c)
		if l == nil {
			return nil
		}
		l.lose(tx, why)
		rest := slices.DeleteFunc(slices.Clone(t[peer]), func(m *link) bool { return m == l })
		n.table.Set(tx, t.with(peer, rest))
		n.inbox.purge(tx, l)
		return l
	})
	if l != nil {
		l.down(l.gone.Load(context.Background()), 0)
		l.end()
	}
}

// epitaph is why a closed connection ended. libp2p tells only who asks it for one more stream; that does not block.
func epitaph(c network.Conn) *GoneError {
	if c.IsClosed() {
		st, err := c.NewStream(context.Background())
		if err == nil {
			_ = st.Reset()
		}
		var gone *GoneError
		if errors.As(ioError(c, err), &gone) {
			return gone
		}
	}
	return &GoneError{}
}
