package node_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/txsubmission"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/store"
)

// frame is a message on the wire.
func frame(tag byte, body ...byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(1+len(body))), tag), body...)
}

// attack is what a hostile peer does, beside answering in order what its table does not name.
type attack struct {
	table func(ctx context.Context, w world, tip chain.Tip) (map[string]say, error) // what it answers, made when the honest nodes are at tip; nil: in order
	act   func(ctx context.Context, p *puppet) error                                // what it opens; nil: nothing
}

// says opens a protocol and writes raw bytes.
func says(protocol string, raw []byte) attack {
	return attack{act: func(ctx context.Context, p *puppet) error { return p.write(ctx, protocol, raw) }}
}

func (p *puppet) write(ctx context.Context, protocol string, raw []byte) error {
	c, err := p.open(ctx, protocol)
	if err == nil && len(raw) > 0 {
		_, err = c.Stream.Write(raw)
	}
	return err
}

// saysLater opens another protocol after a handshake in order, then writes raw bytes.
func saysLater(protocol string, raw []byte) attack {
	return attack{act: func(ctx context.Context, p *puppet) error {
		if err := p.greet(ctx); err != nil {
			return err
		}
		return p.write(ctx, protocol, raw)
	}}
}

// evilLeader is the index in the genesis of the key that the hostile peer has.
const evilLeader = 2

// serves offers one block after the tip, made by forge.
func serves(forge func(ctx context.Context, w world, tip chain.Tip) (chain.Block, error)) attack {
	return attack{table: func(ctx context.Context, w world, tip chain.Tip) (map[string]say, error) {
		b, err := forge(ctx, w, tip)
		return offers(b).table(), err
	}}
}

// unsigned is a header that no leader has signed.
func unsigned(ahead chain.Slot) attack {
	return serves(func(_ context.Context, _ world, tip chain.Tip) (chain.Block, error) {
		f := chain.Fields{Slot: tip.Point.Slot + ahead, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash}
		return chain.Block{Header: chain.NewHeader(f, []byte("no signature"))}, nil
	})
}

// signed is a block with a header in order, by the hostile leader; served is the body it comes with.
func signed(body, served []byte) attack {
	return serves(func(ctx context.Context, w world, tip chain.Tip) (chain.Block, error) {
		schedule, err := leaderschedule.New(w.genesis)
		if err != nil {
			return chain.Block{}, err
		}
		signer, err := leaderschedule.OpenSigner(schedule, key(evilLeader), store.NewMemory())
		if err != nil {
			return chain.Block{}, err
		}
		h, err := signer.Sign(ctx, chain.Fields{
			Slot: evilSlot, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash, BodyHash: chain.HashOf(body), BodySize: uint32(len(body)),
		})
		return chain.Block{Header: h, Body: served}, err
	})
}

// evilSlot is the hostile leader's first slot; attacks begin with it.
const evilSlot chain.Slot = evilLeader

// TestHostile: a peer that breaks a protocol is recorded with what it did, disconnected and refused; the others go on within their bounds.
func TestHostile(t *testing.T) {
	shake, sync, alive := handshake.Protocol().ID(), chainsync.Protocol().ID(), keepalive.Protocol().ID()
	for _, tc := range []struct {
		name   string
		attack attack
		kind   p2p.ViolationKind
		reason string // part of it
	}{
		{"garbage", says(shake, frame(0, 0xff, 0xff)), p2p.Garbage, ""},
		{"garbage later", saysLater(sync, frame(4, 0x81, 0x80)), p2p.Garbage, ""},
		{"wrong tag", says(shake, frame(99)), p2p.WrongTag, ""},
		{"oversize", says(shake, []byte{0xff, 0xff, 0xff, 0xff}), p2p.Oversize, ""},
		{"oversize later", saysLater(txsubmission.Protocol().ID(), []byte{0xff, 0xff, 0xff, 0xff}), p2p.Oversize, ""},
		{"empty frame", says(shake, []byte{0, 0, 0, 0}), p2p.Oversize, ""},
		{"out of agency", saysLater(alive, append(frame(2), frame(0, 0x81, 1)...)), p2p.OutOfAgency, ""},
		{"stall", says(shake, nil), p2p.Timeout, ""},
		{"invalid headers", unsigned(1), p2p.Invalid, sign.ErrSignature.Error()},
		{"invalid headers, far ahead", unsigned(1000), p2p.Invalid, "is more than"},
		{"invalid bodies", signed([]byte("bad"), []byte("bad")), p2p.Invalid, errBody.Error()},
		{"invalid bodies, of another header", signed([]byte("good"), []byte("evil")), p2p.Invalid, chain.ErrBody.Error()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := sim.Run(5, func(ctx context.Context) error {
				return withEvil(ctx, tc.attack, func(ctx context.Context, h *duel) error { return h.convicted(ctx, tc.kind, tc.reason) })
			})
			require.NoError(t, r.Err)
			require.Less(t, r.Elapsed, 5*time.Minute)
		})
	}
}

// TestStranger: without a handshake no other protocol is served, and that is nobody's violation.
func TestStranger(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 1)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			nodes, err := w.mesh(ctx, s, 1)
			if err != nil {
				return err
			}
			p, err := w.puppet(ctx, nil)
			if err != nil {
				return err
			}
			c, err := p.open(ctx, keepalive.Protocol().ID())
			if err != nil {
				return err
			}
			if err := c.Stream.SetReadDeadline(env.Now(ctx).Add(time.Second)); err != nil {
				return err
			}
			var reset *p2p.ResetError
			if _, err := c.Stream.Read(make([]byte, 1)); !errors.As(err, &reset) || !reset.Remote {
				return fmt.Errorf("read: %w", err)
			}
			return clean(ctx, nodes...)
		})
	})
	require.NoError(t, r.Err)
}

// TestWrongNetwork: nodes of two networks refuse each other with both values, keep apart, and accuse nobody.
func TestWrongNetwork(t *testing.T) {
	for _, tc := range []struct {
		name   string
		change func(g *chain.Genesis)
		want   func(ours, theirs chain.Genesis) [2]string
	}{
		{"network", func(g *chain.Genesis) { g.Network = "other" }, func(ours, theirs chain.Genesis) [2]string {
			return [2]string{ours.Network, theirs.Network}
		}},
		{"genesis", func(g *chain.Genesis) { g.Nonce = []byte("other") }, func(ours, theirs chain.Genesis) [2]string {
			return [2]string{ours.Hash().String(), theirs.Hash().String()}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := sim.Run(1, func(ctx context.Context) error {
				w := newWorld(ctx, 2)
				other := w
				tc.change(&other.genesis)
				return wrongNetwork(ctx, w, other, tc.want(w.genesis, other.genesis))
			})
			require.NoError(t, r.Err)
		})
	}
}

func wrongNetwork(ctx context.Context, w, other world, want [2]string) error {
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		events := make([]node.PeerEvent, 0, 64)
		ours, err := w.config(ctx, 0)
		if err != nil {
			return err
		}
		theirs, err := other.config(ctx, 1, 0)
		if err != nil {
			return err
		}
		ours.Trace.Peer = func(_ context.Context, e node.PeerEvent) { events = append(events, e) }
		a, err := node.Start(ctx, s, ours)
		if err != nil {
			return err
		}
		b, err := node.Start(ctx, s, theirs)
		if err != nil {
			return err
		}
		if _, err := agree(ctx, []*replica{a}, 4); err != nil {
			return err
		}
		for _, e := range events {
			var refused *handshake.RefusedError
			if errors.As(e.Err, &refused) && e.Kind == node.Mismatched {
				if got := [2]string{refused.Ours, refused.Theirs}; got != want {
					return fmt.Errorf("refused %v instead of %v", got, want)
				}
				return clean(ctx, a, b)
			}
		}
		return fmt.Errorf("no refusal among %v", events)
	})
}
