package node_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// mute takes a node's key: it forges nothing.
func mute(c *config) { c.Key = sign.PrivateKey{} }

// pending are the ids in a node's pool, in their order.
func pending(tx *stm.Tx, n *replica) (ids []chain.Hash) {
	for e := range n.Pool().Snapshot(tx).All() {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestPoolsConverge: while nobody makes blocks, all pools come to hold all writes, and each those of one register in the order of their versions.
func TestPoolsConverge(t *testing.T) {
	for seed := range uint64(long.N(5, 500)) {
		r := sim.Run(seed, func(ctx context.Context) error {
			c := newCluster(ctx, 5)
			return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
				if err := c.startAll(ctx, s, mute); err != nil {
					return err
				}
				if err := c.load(ctx, "early", 20); err != nil {
					return err
				}
				if err := c.part(ctx, 1, 3); err != nil {
					return err
				}
				if err := c.load(ctx, "parted", 20); err != nil {
					return err
				}
				if err := c.w.net.Heal(ctx); err != nil {
					return err
				}
				if err := until(ctx, "all pools hold all", func(tx *stm.Tx) bool {
					return !slices.ContainsFunc(c.nodes, func(n *replica) bool { return len(pending(tx, n)) != len(c.accepted) })
				}); err != nil {
					return err
				}
				if err := c.pooled(ctx); err != nil {
					return err
				}
				return clean(ctx, c.nodes...)
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
	}
}

// pooled fails unless every pool holds what was accepted.
func (c *cluster) pooled(ctx context.Context) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		for i, n := range c.nodes {
			for _, w := range c.accepted {
				if st := n.Pool().Status(tx, w.id()); st.Stage != mempool.Pending {
					return fmt.Errorf("%w: %v is %v at node %d", errLost, w, st.Stage, i)
				}
			}
		}
		return nil
	})
}

// TestRegistersRestart: what only a journal holds survives the end of its node. The node accepts it alone, is stopped before anybody else has it,
// and starts again on its store.
func TestRegistersRestart(t *testing.T) {
	scenario := func(keep bool) func(ctx context.Context) error {
		return func(ctx context.Context) error { return newCluster(ctx, 3).restarted(ctx, keep) }
	}
	r := sim.Run(1, scenario(true))
	require.NoError(t, r.Err)
	require.Equal(t, r.Hash, sim.Run(1, scenario(true)).Hash)
	require.ErrorIs(t, sim.Run(1, scenario(false)).Err, errLost, "planted: the journal is empty after the restart")
}

func (c *cluster) restarted(ctx context.Context, keep bool) error {
	const last = 2
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i := range last {
			if err := c.start(ctx, s, i, nil); err != nil {
				return err
			}
		}
		before := c.stores[last]
		err := scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			if err := c.start(ctx, s, last, mute); err != nil {
				return err
			}
			if _, err := agree(ctx, c.nodes, 2); err != nil {
				return err
			}
			if err := c.part(ctx, last); err != nil {
				return err
			}
			before = c.stores[last].Reopen()
			for v := range uint64(5) { // each depends on the one before
				if err := c.write(ctx, last, write{Key: "journal", Version: v, Value: fmt.Sprint(v)}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		if !keep {
			c.stores[last] = before
		}
		if err := c.w.net.Heal(ctx); err != nil {
			return err
		}
		if err := c.start(ctx, s, last, mute); err != nil {
			return err
		}
		if keep { // replayed before anything is asked of it
			if err := stm.Do(ctx, func(tx *stm.Tx) error {
				if st := c.nodes[last].Pool().Status(tx, c.accepted[4].id()); st.Stage != mempool.Pending {
					return fmt.Errorf("%v after the restart", st.Stage)
				}
				return nil
			}); err != nil {
				return err
			}
		}
		if err := c.settle(ctx); err != nil {
			return err
		}
		return clean(ctx, c.nodes...)
	})
}

// TestRegistersKills: nodes are stopped and started again, one after the other, while writes go on everywhere.
func TestRegistersKills(t *testing.T) {
	for seed := range uint64(long.N(3, 150)) {
		r := sim.Run(seed, func(ctx context.Context) error { return newCluster(ctx, 4).killed(ctx) })
		require.NoError(t, r.Err, "seed %d", seed)
	}
}

func (c *cluster) killed(ctx context.Context) error {
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		lives := make([]*registry.Task[struct{}], len(c.nodes))
		live := func(i int) error {
			started := stm.NewVar(false)
			lives[i] = registry.Fork(s, fmt.Sprint("life of ", i), func(ctx context.Context) (struct{}, error) {
				return struct{}{}, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
					if err := c.start(ctx, s, i, nil); err != nil {
						return err
					}
					return stm.Do(ctx, func(tx *stm.Tx) error { started.Set(tx, true); return nil })
				})
			})
			return until(ctx, "it has started", started.Get)
		}
		for i := range c.nodes {
			if err := live(i); err != nil {
				return err
			}
		}
		for i := range c.nodes {
			if err := c.load(ctx, fmt.Sprint("before ", i), 6); err != nil {
				return err
			}
			lives[i].Cancel(errDone)
			if _, err := lives[i].Wait(ctx); !errors.Is(err, errDone) && !errors.Is(err, context.Canceled) {
				return fmt.Errorf("node %d ended with %w", i, err)
			}
			if err := env.Sleep(ctx, time.Duration(env.Rand(ctx).IntN(3000))*time.Millisecond); err != nil {
				return err
			}
			if err := live(i); err != nil {
				return err
			}
		}
		if err := c.settle(ctx); err != nil {
			return err
		}
		return clean(ctx, c.nodes...)
	})
}

// TestTightPools: what a full pool has no room for waits elsewhere and comes later. One node forges, and its pool holds four writes.
func TestTightPools(t *testing.T) {
	for seed := range uint64(long.N(3, 150)) {
		r := sim.Run(seed, func(ctx context.Context) error {
			c := newCluster(ctx, 3)
			c.w.genesis.Keys, c.pace = c.w.genesis.Keys[:1], 50*time.Millisecond
			return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
				for i := range c.nodes {
					if err := c.start(ctx, s, i, func(cfg *config) {
						cfg.Mempool = mempool.Limits{CountMax: 16, LocalMax: 12}
						if i == 0 {
							cfg.Mempool = mempool.Limits{CountMax: 4, LocalMax: 2}
						} else {
							mute(cfg)
						}
					}); err != nil {
						return err
					}
				}
				for k := range 60 {
					if err := env.Sleep(ctx, time.Duration(env.Rand(ctx).Int64N(int64(c.pace)))); err != nil {
						return err
					}
					if err := c.write(ctx, k%3, write{Key: fmt.Sprint(k)}); err != nil {
						return err
					}
				}
				if n := len(c.accepted); n < 10 || n == 60 {
					return fmt.Errorf("%d of 60 were accepted", n)
				}
				if err := c.settle(ctx); err != nil {
					return err
				}
				return clean(ctx, c.nodes...)
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
	}
}

// TestConflict: of two writes to one version of a register, accepted on both sides of a partition, one is on the chain in the end, and the other's node
// says why its own is not.
func TestConflict(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 2)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			if err := c.startAll(ctx, s, nil); err != nil {
				return err
			}
			if err := c.part(ctx, 1); err != nil {
				return err
			}
			for i := range c.nodes {
				if err := c.write(ctx, i, write{Key: "one", Value: fmt.Sprint(i)}); err != nil {
					return err
				}
			}
			if err := until(ctx, "both have made blocks", func(tx *stm.Tx) bool {
				return c.nodes[0].Tip(tx).BlockNo >= 2 && c.nodes[1].Tip(tx).BlockNo >= 2
			}); err != nil {
				return err
			}
			if err := c.w.net.Heal(ctx); err != nil {
				return err
			}
			if _, err := agree(ctx, c.nodes, 5); err != nil {
				return err
			}
			return until(ctx, "one is included and one refused", func(tx *stm.Tx) bool { return c.conflict(tx) })
		})
	})
	require.NoError(t, r.Err)
}

// conflict says that the nodes have one value, and that each write has the status it must have at its own node.
func (c *cluster) conflict(tx *stm.Tx) bool {
	value := c.nodes[0].Selection(tx).State.values["one"].value
	for i, n := range c.nodes {
		st := n.Pool().Status(tx, c.accepted[i].id())
		won := c.accepted[i].Value == value
		if n.Selection(tx).State.values["one"].value != value || won != (st.Stage == mempool.Included) ||
			!won && (st.Stage != mempool.Refused || !errors.Is(st.Err, errVersion)) {
			return false
		}
	}
	return true
}

// poisoned is a ledger with a bug: it makes bodies that it refuses as soon as they hold something.
type poisoned struct{ registers }

func (l poisoned) Body(s state, slot chain.Slot, ws []write) []byte {
	if len(ws) > 0 {
		return []byte("bad")
	}
	return l.registers.Body(s, slot, ws)
}

// TestOwnBlockInvalid: a node whose ledger refuses what it makes tries once a slot, makes blocks without transactions in between, and accuses nobody.
func TestOwnBlockInvalid(t *testing.T) {
	const slots = 20
	r := sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 1)
		c.ledger = poisoned{}
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			var failed, forged int
			err := c.start(ctx, s, 0, func(cfg *config) {
				cfg.Trace.Forger = func(_ context.Context, e leaderschedule.Event) {
					if e.Err != nil {
						failed++
					} else {
						forged++
					}
				}
			})
			if err != nil {
				return err
			}
			if err := c.write(ctx, 0, write{Key: "poison"}); err != nil {
				return err
			}
			if err := env.Sleep(ctx, slots*time.Second+time.Second/2); err != nil {
				return err
			}
			counted, err := stm.Query(ctx, c.nodes[0].Forged)
			if err != nil {
				return err
			}
			if failed+forged != slots || failed < slots/2-1 || forged < slots/2-1 || counted != uint64(forged) {
				return fmt.Errorf("%d blocks failed, %d were made, %d counted", failed, forged, counted)
			}
			return clean(ctx, c.nodes...)
		})
	})
	require.NoError(t, r.Err)
}

// TestRTT: the round trip to a peer is known while it is followed.
func TestRTT(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		c := newCluster(ctx, 2)
		return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
			if err := c.startAll(ctx, s, nil); err != nil {
				return err
			}
			rtt := func(tx *stm.Tx) (time.Duration, bool) { return c.nodes[0].RTT(tx, name(1)) }
			var took time.Duration
			if err := until(ctx, "it is measured", func(tx *stm.Tx) (ok bool) { took, ok = rtt(tx); return ok }); err != nil {
				return err
			}
			if took < 40*time.Millisecond || took > 60*time.Millisecond {
				return fmt.Errorf("a round trip of %v", took)
			}
			if err := c.part(ctx, 1); err != nil {
				return err
			}
			return until(ctx, "it is forgotten", func(tx *stm.Tx) bool { _, ok := rtt(tx); return !ok })
		})
	})
	require.NoError(t, r.Err)
}
