package simnet

import (
	"context"
	"slices"
	"time"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// DatagramConfig is how the datagrams that a node sends fare. Each draws its own time on the way, by the net's Config, so they overtake each
// other. There is no connection: they reach whoever is there, unless a partition or a clog is between.
type DatagramConfig struct {
	Loss      float64 // chance that one is lost
	Duplicate float64 // chance that one comes twice
	InboxMax  int     // that wait for Receive, default 256; when full, new ones are dropped
}

// Datagram is a message of its own.
type Datagram struct {
	From p2p.PeerID
	Data []byte
}

const inboxDefault = 256

// mail is the datagrams on their way to a node, and how many found no room.
type mail struct {
	all     []arriving // in order of arrival; immutable
	dropped int
}

type arriving struct {
	Datagram
	at time.Time
}

// Send sends data to a node and does not wait. What becomes of it is not told. The error is ctx's.
func (n *Node) Send(ctx context.Context, to p2p.PeerID, data []byte) error {
	var delays []time.Duration
	d := n.cfg.Datagrams
	if !n.world.happens(LossFault, d.Loss) {
		delays = append(delays, n.trip())
		if n.world.happens(DuplicateFault, d.Duplicate) {
			delays = append(delays, n.trip())
		}
	}
	data = slices.Clone(data)
	return stm.Do(ctx, func(tx *stm.Tx) error {
		other, err := n.net.reach(tx, n.id, to)
		if err != nil || n.net.clogged(tx, n.id, to) || n.net.nodes.Get(tx)[n.id] != n {
			return nil
		}
		m := other.mail.Get(tx)
		for _, delay := range delays {
			m = m.with(arriving{Datagram{n.id, data}, n.world.now(tx).Add(delay)}, other.cfg.Datagrams.InboxMax)
		}
		other.mail.Set(tx, m)
		return nil
	})
}

func (n *Node) trip() time.Duration { return n.net.cfg.oneWay(n.world.draws(n.net.cfg)) }

func (m mail) with(x arriving, most int) mail {
	if most <= 0 {
		most = inboxDefault
	}
	if len(m.all) >= most {
		m.dropped++
		return m
	}
	i, _ := slices.BinarySearchFunc(m.all, x, func(a, b arriving) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1 // those of one instant stay in order of sending
	})
	m.all = slices.Insert(slices.Clone(m.all), i, x)
	return m
}

// Receive gives the datagram that has arrived first, and waits for one.
func (n *Node) Receive(tx *stm.Tx) (Datagram, error) {
	m := n.mail.Get(tx)
	if len(m.all) == 0 || !n.world.reached(tx, m.all[0].at) {
		return stm.Select[Datagram](tx) // no alternative: retries, without a panic
	}
	first := m.all[0]
	m.all = m.all[1:]
	n.mail.Set(tx, m)
	return Datagram{first.From, slices.Clone(first.Data)}, nil
}

// Dropped is how many datagrams have found no room.
func (n *Node) Dropped(tx *stm.Tx) int { return n.mail.Get(tx).dropped }
