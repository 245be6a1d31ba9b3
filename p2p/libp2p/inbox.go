package libp2p

import (
	"context"
	"fmt"
	"slices"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// inbox holds the inbound streams that Accept has not yet taken, oldest first.
type inbox struct {
	cfg     Config
	waiting *stm.Var[[]*arrival]
	dropped *stm.Var[uint64]
	over    *stm.Var[bool]
}

type arrival struct {
	stream   *stream
	protocol string
}

func newInbox(cfg Config) *inbox {
	return &inbox{
		cfg:     cfg,
		waiting: stm.NewVar[[]*arrival](nil).Label("libp2p.inbox"),
		dropped: stm.NewVar(uint64(0)).Label("libp2p.dropped"),
		over:    stm.NewVar(false),
	}
}

// put queues a stream, or counts it as dropped.
func (b *inbox) put(a *arrival) bool {
	ok, _ := stm.Atomically(context.Background(), func(tx *stm.Tx) (bool, error) {
		list := b.waiting.Get(tx)
		mine := 0
		for _, other := range list {
			if other.stream.link.peer == a.stream.link.peer {
				mine++
			}
		}
		if b.over.Get(tx) || len(list) >= b.cfg.QueueMax || mine >= b.cfg.QueuePeerMax {
			b.dropped.Set(tx, b.dropped.Get(tx)+1)
			return false, nil
		}
		b.waiting.Set(tx, append(list[:len(list):len(list)], a))
		return true, nil
	})
	return ok
}

// take waits for the oldest stream, passing over connections that are behind in freeing earlier ones.
func (b *inbox) take(tx *stm.Tx) (*arrival, error) {
	list := b.waiting.Get(tx)
	for i, a := range list {
		if !a.stream.link.behind(tx) && a.stream.ended.Get(tx) == nil { // an ended one is purged with its link
			b.waiting.Set(tx, slices.Concat(list[:i], list[i+1:]))
			return a, nil
		}
	}
	if b.over.Get(tx) {
		return nil, fmt.Errorf("libp2p: accept: the network has ended: %w", p2p.ErrGone)
	}
	return nil, stm.ErrRetry
}

// purge forgets the streams of a lost link.
func (b *inbox) purge(tx *stm.Tx, l *link) {
	list := b.waiting.Get(tx)
	var rest []*arrival
	for _, a := range list {
		if a.stream.link != l {
			rest = append(rest, a)
		}
	}
	if len(rest) < len(list) {
		b.waiting.Set(tx, rest)
	}
}

// close lets everybody who waits go. The streams still here end with their links.
func (b *inbox) close() {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error {
		b.over.Set(tx, true)
		b.waiting.Set(tx, nil)
		return nil
	})
}

// handle is libp2p's callback for a negotiated inbound stream.
func (n *Network) handle(raw network.Stream) {
	l := n.add(raw.Conn())
	if l == nil {
		_ = raw.ResetWithError(network.StreamShutdown)
		return
	}
	if n.cfg.Refuse(l.peer) {
		_ = raw.ResetWithError(network.StreamGated)
		return
	}
	s, err := newStream(l, raw, answer{})
	if err != nil {
		return
	}
	if !n.inbox.put(&arrival{s, string(raw.Protocol())}) {
		s.Reset(codeLimit)
	}
}

// Accept waits for the next inbound stream of one of Config.Protocols.
func (n *Network) Accept(ctx context.Context) (p2p.Incoming, error) {
	a, err := stm.Atomically(ctx, n.inbox.take)
	if err != nil {
		return p2p.Incoming{}, err
	}
	return p2p.Incoming{Peer: a.stream.link.peer, Protocol: a.protocol, Stream: a.stream}, nil
}

// Dropped counts the inbound streams that were reset because the queue was full.
func (n *Network) Dropped(tx *stm.Tx) uint64 { return n.inbox.dropped.Get(tx) }
