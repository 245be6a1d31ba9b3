package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// followed is how far a follower is. The zero value is one that starts, or pauses between two attempts.
type followed struct {
	rtt *keepalive.RTT // once the peer has accepted our handshake
}

// followAll starts a follower for each peer that is connected and has none.
func (n *Node[S, X]) followAll(ctx context.Context, s *registry.Scope) error {
	for {
		peer, err := stm.Query(ctx, func(tx *stm.Tx) p2p.PeerID {
			following := n.following.Get(tx)
			for _, p := range n.cfg.Network.Connected(tx) {
				if _, has := following[p]; !has && !n.cfg.Peers.Refused(tx, p) {
					n.following.Set(tx, with(following, p, followed{}))
					return p
				}
			}
			return stm.Retry[p2p.PeerID](tx)
		})
		if err != nil {
			return err
		}
		s.Go("peer "+string(peer), func(ctx context.Context) error { return n.follow(ctx, peer) })
	}
}

// follow keeps sessions with one peer while it is connected.
func (n *Node[S, X]) follow(ctx context.Context, peer p2p.PeerID) error {
	pause := pauses{min: n.cfg.RetryMin, max: n.cfg.RetryMax}
	for {
		since := env.Now(ctx)
		err := n.followOnce(ctx, peer)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if crash := contained(err); crash != nil {
			return crash
		}
		kind := Ended
		if errors.Is(err, handshake.ErrRefused) {
			kind = Mismatched
			n.cfg.Network.Disconnect(peer, p2p.CodeShutdown)
		}
		n.emit(ctx, PeerEvent{Kind: kind, Peer: peer, Err: err})
		pause.lasted(env.Now(ctx).Sub(since))
		gone, err := n.rest(ctx, peer, &pause)
		if err != nil || gone {
			return err
		}
	}
}

// rest waits for the next attempt, or until there is nobody to follow: then it gives up the peer's place in the same transaction.
func (n *Node[S, X]) rest(ctx context.Context, peer p2p.PeerID, pause *pauses) (gone bool, err error) {
	until := env.Now(ctx).Add(pause.next(ctx))
	gone, err = stm.Query(ctx, func(tx *stm.Tx) bool {
		n.following.Set(tx, with(n.following.Get(tx), peer, followed{}))
		if n.connected(tx, peer) && !n.cfg.Peers.Refused(tx, peer) {
			tx.Check(env.Reached(tx, until))
			return false
		}
		n.following.Set(tx, without(n.following.Get(tx), peer))
		return true
	})
	if gone {
		n.shake.Accepted.Forget(ctx, peer)
	}
	return gone, err
}

// followOnce runs the sessions that we open with a peer, until the first of them ends.
func (n *Node[S, X]) followOnce(ctx context.Context, peer p2p.PeerID) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		err := n.initiate(ctx, peer, handshake.Protocol(), func(ctx context.Context, c p2p.Conn) error {
			_, err := handshake.Propose(ctx, c, n.shake)
			return err
		})
		if err != nil {
			return err
		}
		rtt := keepalive.NewRTT()
		err = stm.Do(ctx, func(tx *stm.Tx) error {
			n.following.Set(tx, with(n.following.Get(tx), peer, followed{rtt}))
			return nil
		})
		if err != nil {
			return err
		}
		n.emit(ctx, PeerEvent{Kind: Following, Peer: peer})
		n.startSessions(s, peer, rtt)
		return nil
	}, registry.WithName("sessions"))
}

// initiate opens a stream and runs our side of a protocol on it.
func (n *Node[S, X]) initiate(ctx context.Context, peer p2p.PeerID, proto *table.Protocol, run func(context.Context, p2p.Conn) error) error {
	stream, err := n.cfg.Network.Open(ctx, peer, proto.ID())
	if err != nil {
		return fmt.Errorf("node: opening %s: %w", proto.Name, err)
	}
	leave := n.sessions.Enter(ctx, peers.Key{Peer: peer, Protocol: proto.ID(), Role: table.Initiator}, stream)
	defer leave()
	return run(ctx, n.conn(peer, stream))
}

func (n *Node[S, X]) conn(peer p2p.PeerID, stream p2p.Stream) p2p.Conn {
	return p2p.Conn{Peer: peer, Stream: stream, Report: n.report}
}
