package node_test

import (
	"context"
	"fmt"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/blockfetch"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// hasty offers one block after the genesis, whose slot may not have begun.
type hasty struct {
	block  chain.Block
	served *stm.Var[bool]
}

func (h hasty) Intersect(_ *stm.Tx, points []chain.Point) (chain.Point, bool) {
	return points[len(points)-1], true
}

func (h hasty) Next(tx *stm.Tx) (chain.Step, bool) {
	if h.served.Get(tx) {
		return chain.Step{}, false
	}
	h.served.Set(tx, true)
	return chain.Step{Header: h.block.Header, To: h.block.Point(), Tip: h.block.Header.Tip()}, true
}

func (h hasty) Range(context.Context, chain.Point, chain.Point) iter.Seq2[chain.Block, error] {
	return func(yield func(chain.Block, error) bool) { yield(h.block, nil) }
}

// answer serves all that a node opens.
func (h hasty) answer(ctx context.Context, s *registry.Scope, at *simnet.Node, shake handshake.Config) error {
	for {
		in, err := at.Accept(ctx)
		if err != nil {
			return err
		}
		c := p2p.Conn{Peer: in.Peer, Stream: in.Stream}
		s.Go(in.Protocol, func(ctx context.Context) (err error) {
			switch in.Protocol {
			case handshake.Protocol().ID():
				_, err = handshake.Answer(ctx, c, shake)
			case chainsync.Protocol().ID():
				err = chainsync.Serve(ctx, c, h)
			case blockfetch.Protocol().ID():
				err = blockfetch.Serve(ctx, c, h)
			case keepalive.Protocol().ID():
				err = keepalive.Answer(ctx, c)
			}
			return err
		})
	}
}

// TestEarlyBlock: a good block whose slot is a little ahead is neither a violation nor selected before its slot begins.
func TestEarlyBlock(t *testing.T) {
	const slot = 3
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 2)
		w.genesis.Start = w.genesis.Start.Add(-w.genesis.SlotLength) // it is slot 1 now
		schedule, err := leaderschedule.New(w.genesis)
		if err != nil {
			return err
		}
		signer, err := leaderschedule.OpenSigner(schedule, key(1), store.NewMemory())
		if err != nil {
			return err
		}
		h, err := signer.Sign(ctx, chain.Fields{Slot: slot, BlockNo: 1, Prev: w.genesis.Hash(), BodyHash: chain.HashOf(nil)})
		if err != nil {
			return err
		}
		peer := hasty{chain.Block{Header: h, Body: []byte{}}, stm.NewVar(false)}
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			cfg, err := w.config(ctx, 0)
			if err != nil {
				return err
			}
			cfg.Key = sign.PrivateKey{}
			n, err := node.Start(ctx, s, cfg)
			if err != nil {
				return err
			}
			at, err := w.net.Join(ctx, "hasty", simnet.NodeConfig{})
			if err != nil {
				return err
			}
			if _, err := at.Connect(ctx, string(name(0))); err != nil {
				return err
			}
			shake := handshake.Config{Network: w.genesis.Network, Genesis: w.genesis.Hash(), Versions: []uint16{1}}
			s.Go("answer", func(ctx context.Context) error { return peer.answer(ctx, s, at, shake) })
			if _, err := agree(ctx, []*node.Node[int]{n}, 1); err != nil {
				return err
			}
			if now, begins := env.Now(ctx), w.genesis.SlotStart(slot); now.Before(begins) {
				return fmt.Errorf("selected %v before its slot", begins.Sub(now))
			}
			return clean(ctx, n)
		})
	})
	require.NoError(t, r.Err)
}
