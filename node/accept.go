package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// ErrStranger says that a peer opened another protocol before its handshake was accepted; its stream was reset.
var ErrStranger = errors.New("node: no accepted handshake")

// accept serves what peers open.
func (n *Node[S, X]) accept(ctx context.Context, s *registry.Scope) error {
	for {
		in, err := n.cfg.Network.Accept(ctx)
		if ctx.Err() != nil { // the network ends with the scope, and its end may be noticed first
			if err == nil {
				in.Stream.Reset(p2p.CodeShutdown)
			}
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		s.Go("serve "+in.Protocol+" "+string(in.Peer), func(ctx context.Context) error {
			err := n.serve(ctx, in)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			kind := Served
			if errors.Is(err, handshake.ErrRefused) {
				kind = Mismatched
			}
			n.emit(ctx, PeerEvent{Kind: kind, Peer: in.Peer, Protocol: in.Protocol, Err: err})
			return contained(err)
		})
	}
}

// serve runs our side of a session that a peer has opened.
func (n *Node[S, X]) serve(ctx context.Context, in p2p.Incoming) error {
	leave := n.sessions.Enter(ctx, peers.Key{Peer: in.Peer, Protocol: in.Protocol, Role: table.Responder}, in.Stream)
	defer leave()
	c := n.conn(in.Peer, in.Stream)
	if in.Protocol == handshake.Protocol().ID() {
		_, err := handshake.Answer(ctx, c, n.shake)
		return err
	}
	welcome, err := stm.Query(ctx, func(tx *stm.Tx) bool {
		_, accepted := n.shake.Accepted.Version(tx, in.Peer)
		return accepted && !n.cfg.Peers.Refused(tx, in.Peer)
	})
	respond := n.responders()[in.Protocol]
	switch {
	case err != nil:
	case !welcome:
		err = ErrStranger
	case respond == nil:
		err = fmt.Errorf("node: unknown protocol %q", in.Protocol)
	default:
		return respond(ctx, c)
	}
	in.Stream.Reset(p2p.CodeShutdown)
	return err
}
