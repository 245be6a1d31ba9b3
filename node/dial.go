package node

import (
	"context"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// dial keeps a connection to an address, until ctx ends or the peer there is refused.
func (n *Node[S]) dial(ctx context.Context, addr string) error {
	pause := pauses{min: n.cfg.RetryMin, max: n.cfg.RetryMax}
	for {
		peer, err := n.cfg.Network.Connect(ctx, addr)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			n.emit(ctx, PeerEvent{Kind: Unreached, Addr: addr, Err: err})
		} else {
			since := env.Now(ctx)
			refused, err := stm.Query(ctx, func(tx *stm.Tx) bool {
				refused := n.cfg.Peers.Refused(tx, peer)
				tx.Check(refused || !n.connected(tx, peer))
				return refused
			})
			if err != nil {
				return err
			}
			if refused {
				return nil
			}
			pause.lasted(env.Now(ctx).Sub(since))
		}
		if err := env.Sleep(ctx, pause.next(ctx)); err != nil {
			return err
		}
	}
}

func (n *Node[S]) connected(tx *stm.Tx, peer p2p.PeerID) bool {
	for _, p := range n.cfg.Network.Connected(tx) {
		if p == peer {
			return true
		}
	}
	return false
}

// pauses grow from min to max, with jitter, and start anew after something has lasted.
type pauses struct{ min, max, last time.Duration }

func (p *pauses) next(ctx context.Context) time.Duration {
	p.last = min(max(2*p.last, p.min), p.max)
	return p.last/2 + time.Duration(env.Rand(ctx).Int64N(int64(p.last/2)+1))
}

func (p *pauses) lasted(d time.Duration) {
	if d > p.max {
		p.last = 0
	}
}
