package libp2p

import (
	"context"
	"slices"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/protocol"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// Network is a p2p.Network and p2p.Connections over a go-libp2p host. Make one with Bind.
type Network struct {
	host  host.Host
	cfg   Config
	tasks *tasks
	table *stm.Var[table]
	inbox *inbox
	over  *stm.Var[bool] // the scope has ended
}

var (
	_ p2p.Network     = (*Network)(nil)
	_ p2p.Connections = (*Network)(nil)
)

// Bind makes h a network for as long as s lives. It may have connections already. Two Networks may share a host if
// their protocols differ.
func Bind(s *registry.Scope, h host.Host, cfg Config) (*Network, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	n := &Network{
		host: h, cfg: cfg, tasks: newTasks(), inbox: newInbox(cfg),
		table: stm.NewVar(table{}).Label("libp2p.table"),
		over:  stm.NewVar(false).Label("libp2p.over"),
	}
	notify := &network.NotifyBundle{
		ConnectedF:    func(_ network.Network, c network.Conn) { n.add(c) },
		DisconnectedF: func(_ network.Network, c network.Conn) { n.remove(c) },
	}
	_, err = registry.Acquire(s, "libp2p handlers", func(context.Context) (*Network, error) {
		h.Network().Notify(notify)
		for _, p := range cfg.Protocols {
			h.SetStreamHandler(protocol.ID(p), n.handle)
		}
		for _, c := range h.Network().Conns() {
			n.add(c)
		}
		return n, nil
	}, func(context.Context, *Network) error {
		for _, p := range cfg.Protocols {
			h.RemoveStreamHandler(protocol.ID(p))
		}
		h.Network().StopNotify(notify)
		n.shutdown()
		return nil
	})
	if err != nil {
		return nil, err
	}
	if err := s.Daemon(context.Background(), "libp2p", n.run); err != nil {
		return nil, err
	}
	return n, nil
}

// run is the network's task. All others are started by it, in a scope of its own: it ends first, and tells them to.
func (n *Network) run(ctx context.Context, ready func()) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		ready()
		n.tasks.serve(ctx, s)
		n.shutdown()
		return nil
	}, registry.WithName("libp2p"))
}

// stalledMax is how long the resets of a shutdown may block on a peer that does not read; then its connection is closed.
const stalledMax = time.Second

// shutdown resets every stream of ours. It may be called again.
func (n *Network) shutdown() {
	set(n.over, true)
	late := n.tasks.close()
	n.inbox.close()
	var links []*link
	for _, ls := range n.table.Load(context.Background()) {
		links = append(links, ls...)
	}
	for _, l := range links {
		l.down(&p2p.ResetError{Code: p2p.CodeShutdown}, p2p.CodeShutdown)
		l.end()
	}
	for _, r := range late {
		_ = r.run(context.Background())
	}
	timer := env.NewTimer(context.Background(), stalledMax)
	defer timer.Stop()
	for _, l := range links {
		done, _ := stm.Query(context.Background(), func(tx *stm.Tx) bool {
			done := l.done.Left(tx) == 0
			tx.Check(done || timer.Fired(tx))
			return done
		})
		if !done {
			_ = l.conn.Close()
		}
	}
}

// Self is the host's peer id.
func (n *Network) Self() p2p.PeerID { return p2p.PeerID(n.host.ID().String()) }

// Connected is every peer with a living connection, in the order of their identifiers.
func (n *Network) Connected(tx *stm.Tx) []p2p.PeerID {
	var peers []p2p.PeerID
	for peer, links := range n.table.Get(tx) {
		if alive(tx, links) != nil {
			peers = append(peers, peer)
		}
	}
	slices.Sort(peers)
	return peers
}

// Disconnect closes every connection to the peer. For us they are gone when it returns; the peer is told by a task.
func (n *Network) Disconnect(peer p2p.PeerID, code p2p.Code) {
	links, _ := stm.Query(context.Background(), func(tx *stm.Tx) []*link {
		links := n.table.Get(tx)[peer]
		for _, l := range links {
			l.lose(tx, &GoneError{Code: code})
		}
		return links
	})
	for _, l := range links {
		l.close(code)
	}
}
