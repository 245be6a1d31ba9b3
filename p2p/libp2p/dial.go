package libp2p

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/peerstore"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/core/sec"
	"github.com/libp2p/go-libp2p/p2p/net/swarm"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Connect dials a multiaddress that ends in /p2p/<peer id> and authenticates the peer. Every call dials: libp2p's own
// back-off after a failure is not applied, when to try again is the caller's policy. While a connection to the same peer is being closed it waits.
func (n *Network) Connect(ctx context.Context, addr string) (p2p.PeerID, error) {
	info, err := peer.AddrInfoFromString(addr)
	if err != nil || len(info.Addrs) == 0 {
		return "", &DialError{Addr: addr, Kind: ErrAddress, Err: orElse(err, errors.New("only a peer id"))}
	}
	id := p2p.PeerID(info.ID.String())
	if info.ID == n.host.ID() {
		return "", &DialError{Addr: addr, Kind: ErrAddress, Err: errors.New("our own peer id")}
	}
	if n.cfg.Refuse(id) {
		return "", &DialError{Addr: addr, Kind: ErrRefused}
	}
	connected, err := n.settled(ctx, id)
	if err != nil {
		return "", err
	}
	if connected {
		return id, nil
	}
	n.host.Peerstore().AddAddrs(info.ID, info.Addrs, peerstore.TempAddrTTL)
	conn, err := n.host.Network().DialPeer(network.WithForceDirectDial(ctx, "the caller decides when to dial"), info.ID)
	if err != nil {
		return "", n.dialError(ctx, addr, id, err)
	}
	l := n.add(conn)
	if connected, err = n.settled(ctx, id); err != nil {
		return "", err
	}
	if connected || l != nil && n.supplanted(ctx, l) {
		return id, nil
	}
	return "", &DialError{Addr: addr, Kind: ErrUnreachable, Err: errors.New("the connection was closed at once")}
}

// supplantedMax is how long after the peer has preferred its own connection to ours that one may take to appear here.
const supplantedMax = 5 * time.Second

// supplanted waits for the connection that the peer has dialled at the same time and kept.
func (n *Network) supplanted(ctx context.Context, l *link) bool {
	var gone *GoneError
	if !errors.As(l.gone.Load(ctx), &gone) || gone.Code != p2p.CodeSupplanted {
		return false
	}
	timer := env.NewTimer(ctx, supplantedMax)
	defer timer.Stop()
	connected, _ := stm.Query(ctx, func(tx *stm.Tx) bool {
		connected := alive(tx, n.table.Get(tx)[l.peer]) != nil
		tx.Check(connected || timer.Fired(tx) || n.over.Get(tx))
		return connected
	})
	return connected
}

// settled is whether the peer is connected, once no connection to it is being closed.
func (n *Network) settled(ctx context.Context, id p2p.PeerID) (bool, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (bool, error) {
		if n.over.Get(tx) {
			return false, fmt.Errorf("libp2p: connect: the network has ended: %w", p2p.ErrGone)
		}
		links := n.table.Get(tx)[id]
		if alive(tx, links) != nil {
			return true, nil
		}
		tx.Check(len(links) == 0)
		return false, nil
	})
}

func (n *Network) dialError(ctx context.Context, addr string, id p2p.PeerID, err error) error {
	var wrong sec.ErrPeerIDMismatch
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("libp2p: connect %s: %w", addr, orElse(context.Cause(ctx), ctx.Err()))
	case errors.As(err, &wrong):
		return &DialError{Addr: addr, Kind: ErrWrongPeer, Err: wrong}
	case n.cfg.Refuse(id):
		return &DialError{Addr: addr, Kind: ErrRefused}
	case errors.Is(err, swarm.ErrNoGoodAddresses):
		err = errors.New("the name does not resolve, or the host has no transport for it")
	}
	return &DialError{Addr: addr, Kind: ErrUnreachable, Err: err}
}

// openMax bounds the first write of a stream, which blocks only if the whole connection is stalled.
const openMax = 10 * time.Second

// Open makes a stream on the connection to the peer. It costs no round trip: see the package comment on negotiation. It waits while earlier
// streams of the connection are still being freed.
func (n *Network) Open(ctx context.Context, id p2p.PeerID, proto string) (p2p.Stream, error) {
	if err := checkProtocol(proto); err != nil {
		return nil, fmt.Errorf("libp2p: open: %w", err)
	}
	l, err := stm.Query(ctx, func(tx *stm.Tx) *link {
		l := alive(tx, n.table.Get(tx)[id])
		tx.Check(l == nil || !l.behind(tx))
		return l
	})
	if err != nil {
		return nil, err
	}
	if l == nil {
		return nil, fmt.Errorf("libp2p: open %s: not connected to %s: %w", proto, id, p2p.ErrGone)
	}
	raw, err := l.conn.NewStream(ctx)
	if err != nil {
		return nil, openError(ctx, l, proto, err)
	}
	if err := raw.SetProtocol(protocol.ID(proto)); err != nil {
		_ = raw.ResetWithError(network.StreamResourceLimitExceeded)
		return nil, openError(ctx, l, proto, err)
	}
	hello, expect := propose(proto)
	s, err := newStream(l, raw, expect)
	if err != nil {
		return nil, fmt.Errorf("libp2p: open %s: %w", proto, err)
	}
	stop := env.AfterFunc(ctx, func() { s.Reset(p2p.CodeShutdown) })
	_ = s.SetWriteDeadline(env.Now(ctx).Add(openMax))
	_, err = s.Write(hello)
	_ = s.SetWriteDeadline(time.Time{})
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		s.Reset(p2p.CodeShutdown)
		return nil, openError(ctx, l, proto, err)
	}
	return s, nil
}

func openError(ctx context.Context, l *link, proto string, err error) error {
	switch {
	case ctx.Err() != nil:
		err = orElse(context.Cause(ctx), ctx.Err())
	case !errors.Is(err, network.ErrResourceLimitExceeded):
		err = ioError(l.conn, err)
	}
	return fmt.Errorf("libp2p: open %s to %s: %w", proto, l.peer, err)
}

func orElse(err, other error) error {
	if err == nil {
		return other
	}
	return err
}
