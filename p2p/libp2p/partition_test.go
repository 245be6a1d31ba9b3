package libp2p_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// insistent is a node that dials another again and again, and talks with it while it is connected.
type insistent struct {
	node
	ledger  *peers.Ledger
	refuses *stm.Var[bool] // everybody
	dials   *stm.Var[int]
	talks   *stm.Var[int] // exchanges that have succeeded
	met     *stm.Var[int] // times that a peer was connected
}

func bump(v *stm.Var[int]) {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error { v.Update(tx, func(n int) int { return n + 1 }); return nil })
}

func newInsistent(t testing.TB, s *registry.Scope, tr libp2p.Transport, k byte) *insistent {
	n := &insistent{
		ledger: peers.NewLedger(peers.Config{}), refuses: stm.NewVar(false),
		dials: stm.NewVar(0), talks: stm.NewVar(0), met: stm.NewVar(0),
	}
	refuse := func(p2p.PeerID) bool { return n.refuses.Load(context.Background()) }
	n.node = newNode(t, s, libp2p.HostConfig{Key: key(k), Transport: tr, Refuse: refuse},
		libp2p.Config{Refuse: refuse, Protocols: []string{askID}})
	return n
}

// run starts what it does, until ctx ends.
func (n *insistent) run(ctx context.Context, s *registry.Scope, addr string) {
	task := func(name string, f func() error) {
		s.Go(name, func(context.Context) error {
			for ctx.Err() == nil {
				if f() != nil {
					_ = env.Sleep(ctx, time.Millisecond)
				}
			}
			return nil
		})
	}
	task("dial", func() error {
		defer bump(n.dials)
		id, err := n.Connect(ctx, addr)
		if err != nil {
			return err
		}
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(!has(n.Connected(tx), id)); return nil })
	})
	task("serve", func() error {
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return serveAsk(ctx, s, n.Network) })
	})
	task("talk", func() error {
		id, err := stm.Query(ctx, func(tx *stm.Tx) p2p.PeerID {
			have := n.Connected(tx)
			tx.Check(len(have) > 0)
			return have[0]
		})
		if err != nil {
			return err
		}
		bump(n.met)
		for err == nil {
			if _, err = question(ctx, n.node, id, time.Minute, askPID, n.ledger.Report); err == nil {
				bump(n.talks)
			}
		}
		return err
	})
}

func has(list []p2p.PeerID, id p2p.PeerID) bool {
	for _, p := range list {
		if p == id {
			return true
		}
	}
	return false
}

// grows waits until a count has grown by so much.
func grows(t testing.TB, ctx context.Context, v *stm.Var[int], by int) {
	t.Helper()
	from := v.Load(ctx)
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(v.Get(tx) >= from+by); return nil }))
}

// A partition at the level of connections: one side refuses, both sides go on dialling. When it ends the first dials succeed, as nothing has
// learned to wait; and nobody is blamed, on either side, for having been refused.
func TestAPartitionHealsAtOnce(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		for _, mutual := range []bool{false, true} {
			t.Run(fmt.Sprintf("mutual=%v", mutual), func(t *testing.T) {
				scope(t, func(ctx context.Context, s *registry.Scope) {
					a, b := newInsistent(t, s, tr, 1), newInsistent(t, s, tr, 2)
					inner, stop := cancellable(ctx)
					defer stop(errDone)
					a.run(inner, s, b.addr)
					b.run(inner, s, a.addr)
					for range long.N(2, 20) {
						grows(t, ctx, a.talks, 3)
						grows(t, ctx, b.talks, 3)
						partition(t, ctx, a, b, mutual)
					}
					require.Zero(t, total(t, ctx, a.ledger)+total(t, ctx, b.ledger))
				})
			})
		}
	})
}

func partition(t testing.TB, ctx context.Context, a, b *insistent, mutual bool) {
	refuse := func(yes bool) {
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
			a.refuses.Set(tx, yes)
			b.refuses.Set(tx, yes && mutual)
			return nil
		}))
	}
	refuse(true)
	a.Disconnect(b.Self(), p2p.CodeShutdown)
	connected(t, ctx, a.node)
	met := a.met.Load(ctx)
	grows(t, ctx, a.dials, 20)
	grows(t, ctx, b.dials, 20)
	require.LessOrEqual(t, a.met.Load(ctx), met+1, "a refuses, but is connected") // one may have been noticed late
	connected(t, ctx, a.node)
	refuse(false)
	dials := b.dials.Load(ctx)
	grows(t, ctx, b.talks, 1)
	require.Less(t, b.dials.Load(ctx), dials+20, "dials that came to nothing after the partition")
}

// A peer that was down is reached by the first dial after it is up: libp2p's back-off between a peer and us is not applied.
func TestAPeerThatWasDownIsReachedAtOnce(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			a := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr, DialTimeout: 200 * time.Millisecond}, libp2p.Config{})
			h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(2), Transport: tr})
			require.NoError(t, err)
			listen := h.Addrs()[0].String()
			addr := listen + "/p2p/" + h.ID().String()
			require.NoError(t, h.Close())
			for range 3 {
				_, err := a.Connect(ctx, addr)
				require.ErrorIs(t, err, libp2p.ErrUnreachable)
			}
			newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, Listen: listen}, libp2p.Config{})
			_, err = a.Connect(ctx, addr)
			require.NoError(t, err)
		})
	})
}
