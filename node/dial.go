package node

import (
	"context"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// dial keeps a connection to an address until ctx ends. While the peer there is refused it waits.
func (n *Node[S, X]) dial(ctx context.Context, addr string) error {
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
			err := stm.Do(ctx, func(tx *stm.Tx) error {
				tx.Check(!n.connected(tx, peer))
				return nil
			})
			if err != nil {
				return err
			}
			pause.lasted(env.Now(ctx).Sub(since))
			if err := n.pardoned(ctx, peer); err != nil {
				return err
			}
		}
		if err := env.Sleep(ctx, pause.next(ctx)); err != nil {
			return err
		}
	}
}

// pardoned waits while a peer is refused.
func (n *Node[S, X]) pardoned(ctx context.Context, peer p2p.PeerID) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		tx.Check(!n.cfg.Peers.Refused(tx, peer))
		return nil
	})
}

func (n *Node[S, X]) connected(tx *stm.Tx, peer p2p.PeerID) bool {
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
