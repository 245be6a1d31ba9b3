package libp2p

import (
	"context"
	"errors"
	"fmt"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// inbox holds the inbound streams that Accept has not yet taken, oldest first.
type inbox struct {
	cfg     Config
	waiting *queue.Queue[*arrival]
	dropped *stm.Var[uint64]
}

type arrival struct {
	stream   *stream
	protocol string
}

func newInbox(cfg Config) *inbox {
	return &inbox{
		cfg:     cfg,
		waiting: queue.FIFO(cfg.QueueMax, queue.Reject[*arrival]()).Label("libp2p.inbox"),
		dropped: stm.NewVar(uint64(0)).Label("libp2p.dropped"),
	}
}

// put queues a stream, or counts it as dropped.
func (b *inbox) put(a *arrival) bool {
	ok, _ := stm.Atomically(context.Background(), func(tx *stm.Tx) (bool, error) {
		mine := 0
		for other := range b.waiting.All(tx) {
			if other.stream.link.peer == a.stream.link.peer {
				mine++
			}
		}
		if mine < b.cfg.QueuePeerMax {
			if _, err := b.waiting.Put(tx, a); err == nil {
				return true, nil
			}
		}
		b.dropped.Set(tx, b.dropped.Get(tx)+1)
		return false, nil
	})
	return ok
}

// take waits for the oldest stream, passing over connections that are behind in freeing earlier ones.
func (b *inbox) take(tx *stm.Tx) (*arrival, error) {
	a, err := b.waiting.TakeFirst(tx, func(a *arrival) bool {
		return !a.stream.link.behind(tx) && a.stream.ended.Get(tx) == nil // an ended one is purged with its link
	})
	if errors.Is(err, prop.ErrClosed) {
		return nil, fmt.Errorf("libp2p: accept: the network has ended: %w", p2p.ErrGone)
	}
	return a, err
}

// purge forgets the streams of a lost link.
func (b *inbox) purge(tx *stm.Tx, l *link) {
	b.waiting.Remove(tx, func(a *arrival) bool { return a.stream.link == l })
}

// close lets everybody who waits go. The streams still here end with their links.
func (b *inbox) close() {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error {
		b.waiting.Close(tx)
		b.waiting.Remove(tx, func(*arrival) bool { return true })
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
