package node_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/chainsync"
	"github.com/synodkit/synod/p2p/keepalive"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// alone runs one node in a simulation.
func alone(t *testing.T, change func(*config), judge func(ctx context.Context, w world, n *replica) error) error {
	t.Helper()
	return sim.Run(1, func(ctx context.Context) error {
		w := newWorld(ctx, 1)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			nodes, err := w.meshOf(ctx, s, 1, change)
			if err != nil {
				return err
			}
			return judge(ctx, w, nodes[0])
		})
	}).Err
}

// TestPoolIsWired: what is accepted stays in the journal until it is K deep, a block holds what its bytes allow and no more, and the tracer is told.
func TestPoolIsWired(t *testing.T) {
	const k, count = 5, 10
	size := len(write{Key: "k0"}.raw())
	events := map[mempool.Stage]int{}
	require.NoError(t, alone(t, func(c *config) {
		c.K, c.BodyBytesMax = k, 4*size
		c.Trace.Mempool = func(_ context.Context, e mempool.Event) { events[e.Stage]++ }
	}, func(ctx context.Context, _ world, n *replica) error {
		for i := range count {
			if _, err := n.Pool().Submit(ctx, write{Key: fmt.Sprint("k", i)}.raw()); err != nil {
				return err
			}
		}
		for want := range []int{0, 4, 8, 10} { // on the chain after so many blocks
			tip, err := stm.Query(ctx, func(tx *stm.Tx) chain.Tip {
				tip := n.Tip(tx)
				tx.Check(int(tip.BlockNo) >= want && n.Pool().Snapshot(tx).Tip == tip)
				return tip
			})
			if err != nil {
				return err
			}
			st, err := stm.Query(ctx, n.Pool().Stats)
			if err == nil && (int(st.Included) != min(4*int(tip.BlockNo), count) || st.Local != count) {
				err = fmt.Errorf("at %v: %+v", tip, st)
			}
			if err != nil {
				return err
			}
		}
		return until(ctx, "the journal is empty", func(tx *stm.Tx) bool {
			local := n.Pool().Stats(tx).Local
			if height := n.Pool().Snapshot(tx).Tip.BlockNo; height < 1+k && local < count {
				panic(fmt.Sprintf("%d in the journal at block %d", local, height))
			}
			return local == 0
		})
	}))
	require.Equal(t, count, events[mempool.Pending])
	require.Equal(t, count, events[mempool.Included])
}

// fragile is a ledger with a bug that a peer's bytes set off.
type fragile struct{ registers }

func (l fragile) Parse(raw []byte) (write, error) {
	w, err := l.registers.Parse(raw)
	if w.Key == "bug" {
		panic("a bug")
	}
	return w, err
}

// TestPanicEndsTheNode: a fault of the program is not taken for a peer's trouble.
func TestPanicEndsTheNode(t *testing.T) {
	err := alone(t, func(c *config) { c.Ledger = fragile{} }, func(ctx context.Context, w world, _ *replica) error {
		bug := &spammer{make: func(int) []byte { return write{Key: "bug"}.raw() }, few: 1}
		table, err := bug.attack().table(ctx, w, chain.Tip{})
		if err != nil {
			return err
		}
		p, err := w.puppet(ctx, table)
		if err != nil {
			return err
		}
		return within(ctx, time.Minute, func(ctx context.Context) error {
			return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return p.answer(ctx, s) })
		})
	})
	var crash *registry.PanicError
	require.ErrorAs(t, err, &crash)
	require.Equal(t, "a bug", crash.Value)
}

// TestFollowersAreClosed: a peer that opens chainsync again and again takes nobody's place.
func TestFollowersAreClosed(t *testing.T) {
	require.NoError(t, alone(t, nothing, func(ctx context.Context, w world, n *replica) error {
		p, err := w.puppet(ctx, nil)
		if err == nil {
			err = p.greet(ctx)
		}
		for range 300 {
			if err == nil {
				_, err = p.open(ctx, chainsync.Protocol().ID())
			}
			err = errors.Join(err, env.Sleep(ctx, 20*time.Millisecond))
		}
		if err != nil {
			return err
		}
		f, err := n.Chain().NewFollower(ctx)
		if err != nil {
			return err
		}
		return f.Close(ctx)
	}))
}

func nothing(*config) {}

// TestHandshakeEndsWithTheConnection: a peer that comes back is a stranger again.
func TestHandshakeEndsWithTheConnection(t *testing.T) {
	require.NoError(t, alone(t, nothing, func(ctx context.Context, w world, n *replica) error {
		for range 2 {
			p, err := w.puppet(ctx, nil)
			if err != nil {
				return err
			}
			for _, greeted := range []bool{false, true} {
				if greeted {
					if err := p.greet(ctx); err != nil {
						return err
					}
				}
				c, err := p.open(ctx, keepalive.Protocol().ID())
				if err != nil {
					return err
				}
				if err := env.Sleep(ctx, time.Second); err != nil {
					return err
				}
				gone, err := stm.Query(ctx, c.Stream.Gone)
				if served := gone == nil; err != nil || served != greeted {
					return fmt.Errorf("greeted: %v, served: %v: %w", greeted, served, errors.Join(err, gone))
				}
			}
			p.at.Disconnect(name(0), p2p.CodeShutdown)
			if err := env.Sleep(ctx, time.Minute); err != nil {
				return err
			}
		}
		return nil
	}))
}

// TestSessionsArePaced: a peer whose sessions end at once is tried after growing pauses, and is not counted among those that are followed meanwhile.
func TestSessionsArePaced(t *testing.T) {
	tries := 0
	require.NoError(t, alone(t, nothing, func(ctx context.Context, w world, n *replica) error {
		p, err := w.puppet(ctx, map[string]say{
			chainsync.Protocol().ID(): func(_ context.Context, c p2p.Conn) error { tries++; c.Stream.Reset(p2p.CodeShutdown); return nil },
		})
		if err != nil {
			return err
		}
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("puppet", func(ctx context.Context) error { return p.answer(ctx, s) })
			if err := env.Sleep(ctx, time.Minute); err != nil {
				return err
			}
			return within(ctx, 15*time.Second, func(ctx context.Context) error { // in a pause; none is longer
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(len(n.Peers(tx)) == 0); return nil })
			})
		})
	}))
	require.Greater(t, tries, 5)
	require.Less(t, tries, 30)
}

// TestDialsArePaced: an address where nobody is is tried after growing pauses, which begin anew after a connection has lasted.
func TestDialsArePaced(t *testing.T) {
	failed := 0
	require.NoError(t, alone(t, func(c *config) {
		c.Dial = []string{string(evil)}
		c.Trace.Peer = func(_ context.Context, e node.PeerEvent) {
			if e.Kind == node.Unreached {
				failed++
			}
		}
	}, func(ctx context.Context, w world, n *replica) error {
		if err := env.Sleep(ctx, time.Minute); err != nil {
			return err
		}
		if failed < 8 || failed > 16 { // 0.2 s, doubled up to 10 s, and half of each at least
			return fmt.Errorf("%d dials in a minute", failed)
		}
		p, err := w.puppet(ctx, nil)
		if err != nil {
			return err
		}
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("puppet", func(ctx context.Context) error { return p.answer(ctx, s) })
			if err := env.Sleep(ctx, time.Minute); err != nil {
				return err
			}
			p.at.Disconnect(name(0), p2p.CodeShutdown)
			return within(ctx, time.Second, func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(len(p.at.Connected(tx)) == 1); return nil })
			})
		})
	}))
}

// TestMismatchDisconnects: who is of another network is not kept connected.
func TestMismatchDisconnects(t *testing.T) {
	require.NoError(t, alone(t, nothing, func(ctx context.Context, w world, n *replica) error {
		w.genesis.Network = "other"
		p, err := w.puppet(ctx, nil)
		if err != nil {
			return err
		}
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			s.Go("puppet", func(ctx context.Context) error { return p.answer(ctx, s) })
			return within(ctx, time.Second, func(ctx context.Context) error {
				return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(len(p.at.Connected(tx)) == 0); return nil })
			})
		})
	}))
}

// TestSmallPool: the default of one limit fits another that is set.
func TestSmallPool(t *testing.T) {
	require.NoError(t, alone(t, func(c *config) { c.Mempool.BytesMax = 1000 }, func(ctx context.Context, _ world, n *replica) error {
		_, err := n.Pool().Submit(ctx, write{Key: "k"}.raw())
		return err
	}))
}
