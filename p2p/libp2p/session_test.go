package libp2p_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/handshake"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// follower is a chainsync.Follower over a chain in a Var. It keeps what the client has: identity, not height.
type follower struct {
	chain *stm.Var[chain.Fragment]
	has   *stm.Var[chain.Fragment]
}

func (f follower) Intersect(tx *stm.Tx, points []chain.Point) (chain.Point, bool) {
	for _, p := range points {
		if has, ok := f.chain.Get(tx).RollbackTo(p); ok {
			f.has.Set(tx, has)
			return p, true
		}
	}
	return chain.Point{}, false
}

func (f follower) Next(tx *stm.Tx) (chain.Step, bool) {
	all, has := f.chain.Get(tx), f.has.Get(tx)
	at, _ := has.Intersect(all)
	if at != has.Tip().Point {
		has, _ = has.RollbackTo(at)
		f.has.Set(tx, has)
		return chain.Step{To: at, Tip: all.Tip()}, true
	}
	if has.Len() == all.Len() {
		return chain.Step{}, false
	}
	h := all.At(has.Len())
	has, _ = has.Append(h)
	f.has.Set(tx, has)
	return chain.Step{Header: h, To: h.Point(), Tip: all.Tip()}, true
}

// grow appends n headers, of slots that fork tells apart.
func grow(t testing.TB, f chain.Fragment, n int, fork byte) chain.Fragment {
	for range n {
		tip := f.Tip()
		h := chain.NewHeader(chain.Fields{Slot: tip.Point.Slot + 1, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash}, []byte{fork})
		var err error
		f, err = f.Append(h)
		require.NoError(t, err)
	}
	return f
}

func ids() []string {
	return []string{handshake.Protocol().ID(), chainsync.Protocol().ID(), keepalive.Protocol().ID()}
}

// serve answers what a peer opens, as a node does.
func serve(ctx context.Context, s *registry.Scope, n node, f follower, ended *stm.Var[error], genesis chain.Hash) error {
	return s.Daemon(ctx, "serve", func(ctx context.Context, ready func()) error {
		ready()
		for {
			in, err := n.Accept(ctx)
			if err != nil {
				return err
			}
			c := p2p.Conn{Peer: in.Peer, Stream: in.Stream}
			s.Go(in.Protocol, func(ctx context.Context) error {
				switch in.Protocol {
				case handshake.Protocol().ID():
					_, err := handshake.Answer(ctx, c, handshake.Config{Network: "test", Genesis: genesis, Versions: []uint16{1, 2}})
					if errors.Is(err, handshake.ErrRefused) {
						return nil
					}
					return err
				case keepalive.Protocol().ID():
					_ = keepalive.Answer(ctx, c)
					return nil
				}
				err := chainsync.Serve(ctx, c, f)
				return stm.Do(context.Background(), func(tx *stm.Tx) error { ended.Set(tx, err); return nil })
			})
		}
	})
}

// A whole conversation over real connections: handshake, a chain that grows and rolls back, a keepalive, and at last a client that
// vanishes while its server has agency and waits for the next block.
func TestProtocolsOverTwoHosts(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		anchor := chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}}
		genesis := anchor.Point.Hash
		full := grow(t, chain.NewFragment(anchor), 200, 0)
		f := follower{chain: stm.NewVar(full), has: stm.NewVar(chain.NewFragment(anchor))}
		served := stm.NewVar[error](nil)
		scope(t, func(ctx context.Context, s *registry.Scope) {
			a := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{Protocols: ids()})
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr}, libp2p.Config{Protocols: ids()})
			require.NoError(t, serve(ctx, s, b, f, served, genesis))
			id, err := a.Connect(ctx, b.addr)
			require.NoError(t, err)
			open := func(protocol string) p2p.Conn {
				st, err := a.Open(ctx, id, protocol)
				require.NoError(t, err)
				return p2p.Conn{Peer: id, Stream: st}
			}
			version, err := handshake.Propose(ctx, open(ids()[0]), handshake.Config{Network: "test", Genesis: genesis, Versions: []uint16{2, 3}})
			require.NoError(t, err)
			require.EqualValues(t, 2, version)
			_, err = handshake.Propose(ctx, open(ids()[0]), handshake.Config{Network: "main", Genesis: genesis, Versions: []uint16{1}})
			require.ErrorIs(t, err, handshake.ErrRefused)

			candidates, rtt := chainsync.NewCandidates(), keepalive.NewRTT()
			s.Go("follow", func(ctx context.Context) error {
				err := chainsync.Follow(ctx, open(ids()[1]), chainsync.ClientConfig{
					Candidates: candidates, K: 1000,
					Selection: func(*stm.Tx) chain.Fragment { return chain.NewFragment(anchor) },
					Check:     func(context.Context, *chain.Header) error { return nil },
				})
				require.ErrorIs(t, err, p2p.ErrGone)
				return nil
			})
			s.Go("ping", func(ctx context.Context) error {
				_ = keepalive.Ping(ctx, open(ids()[2]), keepalive.Config{Every: time.Millisecond, RTT: rtt})
				return nil
			})
			reaches := func(want chain.Fragment) {
				require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
					have, ok := candidates.Of(tx, id)
					tx.Check(ok && have.Tip() == want.Tip())
					return nil
				}))
			}
			reaches(full)
			for fork := byte(1); fork <= 3; fork++ { // roll back to half, and regrow to the same height
				half, ok := full.RollbackTo(full.At(full.Len() / 2).Point())
				require.True(t, ok)
				next := grow(t, half, full.Len()-half.Len(), fork)
				require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { f.chain.Set(tx, next); return nil }))
				reaches(next)
			}
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { _, ok := rtt.Last(tx); tx.Check(ok); return nil }))

			a.Disconnect(id, p2p.CodeShutdown)
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(served.Get(tx) != nil); return nil }))
			require.ErrorIs(t, served.Load(ctx), p2p.ErrGone)
		})
	})
}
