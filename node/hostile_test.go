package node_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

const evil p2p.PeerID = "evil"

// frame is a message on the wire.
func frame(tag byte, body ...byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(1+len(body))), tag), body...)
}

// says opens a protocol and writes raw bytes.
func says(proto string, raw []byte) func(context.Context, *simnet.Node, handshake.Config) error {
	return func(ctx context.Context, at *simnet.Node, _ handshake.Config) error {
		s, err := at.Open(ctx, name(0), proto)
		if err == nil && len(raw) > 0 {
			_, err = s.Write(raw)
		}
		return err
	}
}

// afterHandshake opens another protocol in order, then writes raw bytes.
func afterHandshake(proto string, raw []byte) func(context.Context, *simnet.Node, handshake.Config) error {
	return func(ctx context.Context, at *simnet.Node, cfg handshake.Config) error {
		s, err := at.Open(ctx, name(0), handshake.Protocol().ID())
		if err != nil {
			return err
		}
		if _, err := handshake.Propose(ctx, p2p.Conn{Peer: name(0), Stream: s}, cfg); err != nil {
			return err
		}
		return says(proto, raw)(ctx, at, cfg)
	}
}

// liar serves a header that no leader has signed, for a slot after the tip.
type liar struct {
	tip  chain.Tip
	slot chain.Slot
}

func (l liar) Intersect(_ *stm.Tx, points []chain.Point) (chain.Point, bool) { return points[0], true }
func (l liar) Next(*stm.Tx) (chain.Step, bool) {
	h := chain.NewHeader(chain.Fields{Slot: l.slot, BlockNo: l.tip.BlockNo + 1, Prev: l.tip.Point.Hash}, []byte("no signature"))
	return chain.Step{Header: h, To: h.Point(), Tip: h.Tip()}, true
}

// serves answers what the honest node opens, by a follower that lies about a slot.
func serves(slot chain.Slot) func(context.Context, *simnet.Node, handshake.Config) error {
	return func(ctx context.Context, at *simnet.Node, cfg handshake.Config) error {
		return serve(ctx, at, cfg, slot)
	}
}

func serve(ctx context.Context, at *simnet.Node, cfg handshake.Config, slot chain.Slot) error {
	for {
		in, err := at.Accept(ctx)
		if err != nil {
			return err
		}
		c := p2p.Conn{Peer: in.Peer, Stream: in.Stream}
		switch in.Protocol {
		case handshake.Protocol().ID():
			if _, err := handshake.Answer(ctx, c, cfg); err != nil {
				return err
			}
		case chainsync.Protocol().ID():
			err := chainsync.Serve(ctx, c, liar{chain.Tip{Point: chain.Point{Hash: cfg.Genesis}}, slot})
			if err == nil || ctx.Err() != nil {
				return fmt.Errorf("the lie was taken: %w", err)
			}
			return nil
		}
	}
}

// TestHostile: a peer that breaks a protocol is recorded with what it did, disconnected and refused; the others go on.
func TestHostile(t *testing.T) {
	shake, sync, alive := handshake.Protocol().ID(), chainsync.Protocol().ID(), keepalive.Protocol().ID()
	for _, tc := range []struct {
		name   string
		attack func(context.Context, *simnet.Node, handshake.Config) error
		kind   p2p.ViolationKind
		reason string // part of it
	}{
		{"garbage", says(shake, frame(0, 0xff, 0xff)), p2p.Garbage, ""},
		{"wrong tag", says(shake, frame(99)), p2p.WrongTag, ""},
		{"oversize", says(shake, []byte{0xff, 0xff, 0xff, 0xff}), p2p.Oversize, ""},
		{"empty frame", says(shake, []byte{0, 0, 0, 0}), p2p.Oversize, ""},
		{"garbage later", afterHandshake(sync, frame(4, 0x81, 0x80)), p2p.Garbage, ""},
		{"out of agency", afterHandshake(alive, append(frame(2), frame(0, 0x81, 1)...)), p2p.OutOfAgency, ""},
		{"stall", says(shake, nil), p2p.Timeout, ""},
		{"unsigned header", serves(1), p2p.Invalid, sign.ErrSignature.Error()},
		{"header far ahead", serves(1000), p2p.Invalid, "slot 1000 is more than"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := sim.Run(5, func(ctx context.Context) error { return hostile(ctx, tc.attack, tc.kind, tc.reason) })
			require.NoError(t, r.Err)
			require.Less(t, r.Elapsed, 5*time.Minute)
		})
	}
}

func hostile(ctx context.Context, attack func(context.Context, *simnet.Node, handshake.Config) error, kind p2p.ViolationKind, reason string) error {
	w := newWorld(ctx, 2)
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		nodes, err := w.mesh(ctx, s, 2)
		if err != nil {
			return err
		}
		at, err := w.net.Join(ctx, evil, simnet.NodeConfig{})
		if err != nil {
			return err
		}
		if _, err := at.Connect(ctx, string(name(0))); err != nil {
			return err
		}
		shake := handshake.Config{Network: w.genesis.Network, Genesis: w.genesis.Hash(), Versions: []uint16{1}}
		s.Go("attack", func(ctx context.Context) error { return attack(ctx, at, shake) })
		v, err := stm.Query(ctx, func(tx *stm.Tx) *p2p.Violation {
			vs := nodes[0].Violations(tx)
			tx.Check(len(vs) > 0)
			return vs[0]
		})
		if err != nil {
			return err
		}
		if v.Peer != evil || v.Kind != kind || !strings.Contains(v.Error(), reason) {
			return fmt.Errorf("recorded %w", v)
		}
		err = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(len(at.Connected(tx)) == 0); return nil })
		if err != nil {
			return err
		}
		if _, err := at.Connect(ctx, string(name(0))); !errors.Is(err, simnet.ErrRefused) {
			return fmt.Errorf("connecting again: %w", err)
		}
		tip, err := stm.Query(ctx, nodes[0].Tip)
		if err != nil {
			return err
		}
		if _, err := agree(ctx, nodes, tip.BlockNo+4); err != nil {
			return err
		}
		if err := w.undisturbed(ctx); err != nil {
			return err
		}
		return clean(ctx, nodes[1])
	})
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
			at, err := w.net.Join(ctx, evil, simnet.NodeConfig{})
			if err != nil {
				return err
			}
			if _, err := at.Connect(ctx, string(name(0))); err != nil {
				return err
			}
			stream, err := at.Open(ctx, name(0), keepalive.Protocol().ID())
			if err != nil {
				return err
			}
			if err := stream.SetReadDeadline(env.Now(ctx).Add(time.Second)); err != nil {
				return err
			}
			var reset *p2p.ResetError
			if _, err := stream.Read(make([]byte, 1)); !errors.As(err, &reset) || !reset.Remote {
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
		if _, err := agree(ctx, []*node.Node[int]{a}, 4); err != nil {
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
