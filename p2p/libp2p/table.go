package libp2p

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// table holds the links of each peer: at most one lives, others are being closed. It is a value: changed by copying.
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

// alive is the link that has not been lost, if any.
func alive(tx *stm.Tx, links []*link) *link {
	for _, l := range links {
		if l.gone.Get(tx) == nil {
			return l
		}
	}
	return nil
}

// lose marks the link as ended by us.
func (l *link) lose(tx *stm.Tx, code p2p.Code) {
	if l.gone.Get(tx) == nil {
		l.gone.Set(tx, &GoneError{Code: code})
	}
}

// verdict is what add decided: the link of the connection, and a link to be closed, with the code.
type verdict struct {
	link  *link
	fresh bool
	loser *link
	code  p2p.Code
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
		v := verdict{link: made, fresh: true}
		if refused {
			v.loser, v.code = made, codeGated
		} else if other := alive(tx, t[made.peer]); other != nil {
			v.loser, v.code = made.rival(other), p2p.CodeSupplanted
		}
		if v.loser != nil {
			v.loser.lose(tx, v.code)
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
	if v.loser != nil {
		v.loser.close(v.code)
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
		if l.gone.Get(tx) == nil {
			l.gone.Set(tx, why)
		}
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
func epitaph(c network.Conn) error {
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

// SimultaneousWindow is how far apart two connections of one peer may have been opened to count as dialled at the same time.
const SimultaneousWindow = 10 * time.Second

// origin is what decides between two connections to the same peer. Both sides see the same dialer, and ages that differ by less than a
// round trip.
type origin struct {
	dialer p2p.PeerID
	opened time.Time
}

// yields says that of two living connections o is the one to close. It holds for exactly one of the two, if they differ.
func (o origin) yields(other origin) bool {
	age := other.opened.Sub(o.opened)
	if age.Abs() > SimultaneousWindow || o.dialer == other.dialer {
		return age > 0 // the peer has dialled again, so it has lost the older
	}
	return o.dialer > other.dialer
}

// rival is which of two living links must go.
func (l *link) rival(other *link) *link {
	if l.origin().yields(other.origin()) {
		return l
	}
	return other
}

func (l *link) origin() origin {
	stat := l.conn.Stat()
	if stat.Direction == network.DirOutbound {
		return origin{p2p.PeerID(l.conn.LocalPeer().String()), stat.Opened}
	}
	return origin{l.peer, stat.Opened}
}
