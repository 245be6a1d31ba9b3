package simnet

import (
	"context"
	"errors"
	"fmt"
	"maps"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Errors of Connect.
var (
	ErrNoNode  = errors.New("simnet: no such node")
	ErrRefused = errors.New("simnet: connection refused")
)

// Net is a set of named nodes. Any two can connect, unless a partition is between them.
type Net struct {
	cfg   Config
	nodes *stm.Var[map[p2p.PeerID]*Node] // immutable maps
	away  *stm.Var[map[p2p.PeerID]bool]  // one side of a partition; immutable maps
	clogs *stm.Var[map[trip]bool]        // what does not get through; immutable maps
}

// trip is from one node to another.
type trip struct{ from, to p2p.PeerID }

// New makes a net without nodes, whose links all behave as cfg says.
func New(cfg Config) *Net {
	return &Net{
		cfg:   cfg,
		nodes: stm.NewVar[map[p2p.PeerID]*Node](nil).Label("simnet.nodes"),
		away:  stm.NewVar[map[p2p.PeerID]bool](nil).Label("simnet.away"),
		clogs: stm.NewVar[map[trip]bool](nil).Label("simnet.clogs"),
	}
}

// NodeConfig configures a Node. The zero value is ready.
type NodeConfig struct {
	Refuse    func(p2p.PeerID) bool // asked on both sides of each Connect, outside transactions; nil refuses nobody
	AcceptMax int                   // inbound streams that wait for Accept, default 64; when full, a new one is reset

	BytesPerSecond int // that the node sends, over all its links together; 0: each link has Config.BytesPerSecond
	Datagrams      DatagramConfig
}

const acceptDefault = 64

// Join adds a node in ctx's world, in place of one with the same identity, whose connections are cut: that is a restart.
func (n *Net) Join(ctx context.Context, id p2p.PeerID, cfg NodeConfig) (*Node, error) {
	if id == "" {
		return nil, errors.New("simnet: a node without an identity")
	}
	if cfg.AcceptMax <= 0 {
		cfg.AcceptMax = acceptDefault
	}
	node := &Node{
		net: n, id: id, cfg: cfg, world: worldOf(ctx),
		conns: stm.NewVar[[]conn](nil).Label("simnet.conns"),
		inbox: stm.NewVar[[]inbound](nil).Label("simnet.inbox"),
		mail:  stm.NewVar(mail{}).Label("simnet.mail"),
	}
	if cfg.BytesPerSecond > 0 {
		node.line = newLine(cfg.BytesPerSecond)
	}
	node.world.arm(LossFault, cfg.Datagrams.Loss)
	node.world.arm(DuplicateFault, cfg.Datagrams.Duplicate)
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		nodes := maps.Clone(n.nodes.Get(tx))
		if nodes == nil {
			nodes = map[p2p.PeerID]*Node{}
		}
		if old := nodes[id]; old != nil {
			old.hangUp(tx)
		}
		nodes[id] = node
		n.nodes.Set(tx, nodes)
		return nil
	})
	return node, err
}

// Leave removes the node and cuts its connections. It may be called again.
func (n *Node) Leave() {
	_ = n.world.do(func(tx *stm.Tx) error { // cannot fail: it never waits
		n.hangUp(tx)
		if nodes := n.net.nodes.Get(tx); nodes[n.id] == n {
			nodes = maps.Clone(nodes)
			delete(nodes, n.id)
			n.net.nodes.Set(tx, nodes)
		}
		return nil
	})
}

func (n *Net) find(tx *stm.Tx, id p2p.PeerID) (*Node, error) {
	if node := n.nodes.Get(tx)[id]; node != nil {
		return node, nil
	}
	return nil, fmt.Errorf("%w: %q", ErrNoNode, id)
}
