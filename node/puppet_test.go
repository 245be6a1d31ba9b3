package node_test

import (
	"context"
	"fmt"
	"iter"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/blockfetch"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/txsubmission"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

const evil p2p.PeerID = "evil"

// say is one side of a protocol.
type say func(ctx context.Context, c p2p.Conn) error

// puppet is a peer without a node: it answers what a node opens as its table says, and what that does not name in order, as a peer without blocks
// and transactions does.
type puppet struct {
	at    *simnet.Node
	shake handshake.Config
	table map[string]say // by identifier
}

// puppet joins and connects to node 0.
func (w world) puppet(ctx context.Context, table map[string]say) (*puppet, error) {
	at, err := w.net.Join(ctx, evil, simnet.NodeConfig{})
	if err != nil {
		return nil, err
	}
	shake := handshake.Config{Network: w.genesis.Network, Genesis: w.genesis.Hash(), Versions: []uint16{2}}
	if _, err := at.Connect(ctx, string(name(0))); err != nil {
		return nil, err
	}
	return &puppet{at, shake, table}, nil
}

// answer answers until ctx ends. How a session ends is the node's business.
func (p *puppet) answer(ctx context.Context, s *registry.Scope) error {
	for {
		in, err := p.at.Accept(ctx)
		if err != nil {
			return err
		}
		c := p2p.Conn{Peer: in.Peer, Stream: in.Stream}
		s.Go("puppet "+in.Protocol, func(ctx context.Context) error {
			_ = p.respond(in.Protocol)(ctx, c)
			return ctx.Err()
		})
	}
}

func (p *puppet) respond(protocol string) say {
	if f := p.table[protocol]; f != nil {
		return f
	}
	switch protocol {
	case handshake.Protocol().ID():
		return func(ctx context.Context, c p2p.Conn) error {
			_, err := handshake.Answer(ctx, c, p.shake)
			return err
		}
	case chainsync.Protocol().ID():
		return func(ctx context.Context, c p2p.Conn) error { return chainsync.Serve(ctx, c, empty{}) }
	case blockfetch.Protocol().ID():
		return func(ctx context.Context, c p2p.Conn) error { return blockfetch.Serve(ctx, c, empty{}) }
	case txsubmission.Protocol().ID():
		return func(ctx context.Context, c p2p.Conn) error { return txsubmission.Serve(ctx, c, empty{}) }
	case keepalive.Protocol().ID():
		return keepalive.Answer
	}
	return func(context.Context, p2p.Conn) error { return fmt.Errorf("unknown protocol %s", protocol) }
}

// open opens a protocol to node 0.
func (p *puppet) open(ctx context.Context, protocol string) (p2p.Conn, error) {
	s, err := p.at.Open(ctx, name(0), protocol)
	return p2p.Conn{Peer: name(0), Stream: s}, err
}

// greet has node 0 accept our handshake.
func (p *puppet) greet(ctx context.Context) error {
	c, err := p.open(ctx, handshake.Protocol().ID())
	if err == nil {
		_, err = handshake.Propose(ctx, c, p.shake)
	}
	return err
}

// empty has the genesis and nothing else.
type empty struct{}

func (empty) Intersect(_ *stm.Tx, points []chain.Point) (chain.Point, bool) {
	return points[len(points)-1], true
}
func (empty) Next(*stm.Tx) (chain.Step, bool) { return chain.Step{}, false }
func (empty) Range(context.Context, chain.Point, chain.Point) iter.Seq2[chain.Block, error] {
	return func(func(chain.Block, error) bool) {}
}

func (empty) After(*stm.Tx, uint64) (next uint64, id chain.Hash, bytes int, ok bool) { return }
func (empty) Bytes(*stm.Tx, chain.Hash) ([]byte, bool)                               { return nil, false }

// one offers one block after the tip of who asks, whatever is wrong with it.
type one struct {
	block  chain.Block
	served *stm.Var[bool]
}

func offers(b chain.Block) one { return one{b, stm.NewVar(false)} }

func (o one) Intersect(_ *stm.Tx, points []chain.Point) (chain.Point, bool) {
	return points[0], true
}

func (o one) Next(tx *stm.Tx) (chain.Step, bool) {
	if o.served.Get(tx) {
		return chain.Step{}, false
	}
	o.served.Set(tx, true)
	return chain.Step{Header: o.block.Header, To: o.block.Point(), Tip: o.block.Header.Tip()}, true
}

func (o one) Range(context.Context, chain.Point, chain.Point) iter.Seq2[chain.Block, error] {
	return func(yield func(chain.Block, error) bool) { yield(o.block, nil) }
}

// table serves the block.
func (o one) table() map[string]say {
	return map[string]say{
		chainsync.Protocol().ID():  func(ctx context.Context, c p2p.Conn) error { return chainsync.Serve(ctx, c, o) },
		blockfetch.Protocol().ID(): func(ctx context.Context, c p2p.Conn) error { return blockfetch.Serve(ctx, c, o) },
	}
}
