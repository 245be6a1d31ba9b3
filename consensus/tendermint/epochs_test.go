package tendermint_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus"
	"github.com/synodkit/synod/consensus/tendermint"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// withMembers lets the application choose the validators after each height.
func (w *network) withMembers(after func(height uint64) []consensus.Member) {
	for _, n := range w.nodes {
		make := n.ledger
		n.ledger = func() *ledger {
			l := make()
			l.members = after
			return l
		}
	}
}

// Validators come, go and change weight at every height; who is none follows. No epoch leaves anything behind in the store.
func TestValidatorsChange(t *testing.T) {
	heights := tendermint.Height(long.N(40, 1000))
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
		w.add("v4", members(1, 1, 1, 1))
		w.withMembers(func(h uint64) []consensus.Member {
			ms := members(1, 2, 1, 3, 1)
			out := int(h % 5)
			return append(ms[:out:out], ms[out+1:]...)
		})
		err := w.run(ctx, func(ctx context.Context) error { return w.reach(ctx, heights, time.Hour, 0, 1, 2, 3, 4) })
		if err != nil {
			return err
		}
		keys := 0
		for e, err := range w.nodes[0].config.Store.Scan([]byte("tendermint"), nil) {
			require.NoError(t, err)
			if len(e.Key) < len("tendermint/decision/") || string(e.Key[:len("tendermint/decision/")]) != "tendermint/decision/" {
				keys++
			}
		}
		require.Less(t, keys, 60)
		require.Empty(t, w.blamed.Load(ctx))
		return nil
	})
	require.NoError(t, r.Err)
}

// The same with crashes in the middle of changes.
func TestValidatorsChangeAndCrash(t *testing.T) {
	for seed := range uint64(long.N(2, 100)) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w := newNetwork(ctx, upTo(2*unit), 1, 1, 1, 1, 1)
			w.withMembers(func(h uint64) []consensus.Member {
				if h%3 != 0 {
					return nil
				}
				ms := members(1, 2, 1, 3, 1)
				out := int(h / 3 % 5)
				return append(ms[:out:out], ms[out+1:]...)
			})
			return w.run(ctx, func(ctx context.Context) error {
				for range 20 {
					if err := env.Sleep(ctx, upTo(8*unit)(ctx)); err != nil {
						return err
					}
					if err := w.disturb(ctx, trouble{crashes: true}); err != nil {
						return err
					}
				}
				return w.peace(ctx, 0)
			})
		})
		require.NoError(t, r.Err, "seed %d", seed)
	}
}

// Weight, not number, is what counts: one of 7 in 10 cannot be outvoted, nor go on alone.
func TestWeights(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 6, 1, 1, 1, 1)
		return w.run(ctx, func(ctx context.Context) error {
			for i := 2; i < 5; i++ { // 6 and 1 of 10 remain
				if err := w.nodes[i].set(ctx, true); err != nil {
					return err
				}
			}
			if err := w.reach(ctx, 5, time.Hour, 0, 1); err != nil {
				return err
			}
			if err := w.nodes[1].set(ctx, true); err != nil {
				return err
			}
			if err := env.Sleep(ctx, time.Second); err != nil {
				return err
			}
			before := w.nodes[0].height.Load(ctx)
			if err := w.reach(ctx, before+1, time.Minute, 0); err == nil {
				return errors.New("6 of 10 have decided")
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
}

// Two replicas with one key give evidence against it, which gets into a block, once, and to the application.
func TestEvidence(t *testing.T) {
	found := 0
	for seed := range uint64(5) {
		r := sim.Run(seed, func(ctx context.Context) error {
			w := newNetwork(ctx, upTo(2*unit), 1, 1, 1, 1)
			w.faulty[0], w.faulty[w.add("v0", members(1, 1, 1, 1)).at] = true, true
			return w.run(ctx, func(ctx context.Context) error {
				if err := w.reach(ctx, 12, time.Hour, 1, 2, 3); err != nil {
					return err
				}
				for _, n := range w.nodes[1:4] {
					if len(n.last.faulty) > 1 {
						return fmt.Errorf("accused %v", n.last.faulty)
					}
					if len(n.last.faulty) == 1 {
						require.Equal(t, consensus.ID("v0"), n.last.faulty[0])
						found++
					}
				}
				return nil
			})
		})
		require.NoError(t, r.Err)
	}
	require.Positive(t, found)
}

// Without work nothing is decided; with a period, an empty block is when it is over; with work, at once.
func TestEmptyBlocks(t *testing.T) {
	for _, x := range []struct {
		empty time.Duration
		work  bool
		want  tendermint.Height // after a minute
	}{{0, false, 200}, {-1, false, 0}, {-1, true, 200}, {10 * time.Second, false, 5}} {
		r := sim.Run(1, func(ctx context.Context) error {
			w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
			work := stm.NewVar(x.work)
			for _, n := range w.nodes {
				n.config.Empty, n.config.Work = x.empty, work.Get
			}
			return w.run(ctx, func(ctx context.Context) error {
				if err := env.Sleep(ctx, time.Minute+unit/2); err != nil {
					return err
				}
				if got := w.nodes[0].height.Load(ctx); got != x.want {
					return fmt.Errorf("%+v: height %d", x, got)
				}
				return nil
			})
		})
		require.NoError(t, r.Err)
	}
}

// Work at one validator alone is enough to begin a height, whoever proposes.
func TestWorkAtOne(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
		for i, n := range w.nodes {
			n.config.Empty, n.config.Work = -1, func(*stm.Tx) bool { return i == 3 }
		}
		return w.run(ctx, func(ctx context.Context) error { return w.reach(ctx, 8, time.Hour, 0, 1, 2, 3) })
	})
	require.NoError(t, r.Err)
}

// A restart goes on from the last snapshot and the decisions after it, and old decisions are forgotten.
func TestSnapshots(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
		for _, n := range w.nodes {
			n.config.SnapshotEvery, n.config.Keep = 5, 7
		}
		return w.run(ctx, func(ctx context.Context) error {
			if err := w.reach(ctx, 23, time.Hour, 0, 1, 2, 3); err != nil {
				return err
			}
			replica := w.nodes[1].up.Load(ctx)
			_, old := replica.Decision(ctx, 10)
			_, kept := replica.Decision(ctx, 20)
			require.Equal(t, []bool{false, true}, []bool{old, kept})
			for _, n := range w.nodes {
				if err := n.set(ctx, true); err != nil {
					return err
				}
				if err := n.set(ctx, false); err != nil {
					return err
				}
			}
			if err := w.reach(ctx, 30, time.Hour, 0, 1, 2, 3); err != nil {
				return err
			}
			require.GreaterOrEqual(t, len(w.nodes[1].last.list), 30)
			return nil
		})
	})
	require.NoError(t, r.Err)
}

// A store of another cluster is refused, also by a replica that only follows.
func TestOtherCluster(t *testing.T) {
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
		if err := w.run(ctx, func(ctx context.Context) error { return w.reach(ctx, 3, time.Hour, 0) }); err != nil {
			return err
		}
		for _, sign := range []func([]byte) []byte{nil, w.nodes[0].config.Sign} {
			c := w.nodes[0].config
			c.App, c.Cluster, c.Sign = w.nodes[0].ledger(), chain.HashOf([]byte("another")), sign
			replica, err := tendermint.New(c)
			if err != nil {
				return err
			}
			require.ErrorIs(t, replica.Run(ctx), tendermint.ErrConfig)
		}
		return nil
	})
	require.NoError(t, r.Err)
}

// A newcomer is sent the whole chain at once, in which it becomes a validator and ceases to be one again and again.
func TestCatchUpThroughEpochs(t *testing.T) {
	const heights = 15
	r := sim.Run(1, func(ctx context.Context) error {
		w := newNetwork(ctx, always(unit), 1, 1, 1, 1)
		late := w.add("v4", members(1, 1, 1, 1))
		w.withMembers(func(h uint64) []consensus.Member { return members(1, 1, 1, 1, 1)[:4+h/2%2] })
		if err := stm.Do(ctx, func(tx *stm.Tx) error { late.stop.Set(tx, true); return nil }); err != nil {
			return err
		}
		return w.run(ctx, func(ctx context.Context) error {
			if err := w.reach(ctx, heights, time.Hour, 0, 1, 2, 3); err != nil {
				return err
			}
			c := late.config
			c.App = late.ledger()
			newcomer, err := tendermint.New(c)
			if err != nil {
				return err
			}
			for h := range tendermint.Height(heights) {
				d, ok := w.nodes[0].up.Load(ctx).Decision(ctx, h+1)
				require.True(t, ok)
				err := stm.Do(ctx, func(tx *stm.Tx) error { return newcomer.Receive(tx, "v0", d.Bytes()) })
				if err != nil {
					return err
				}
			}
			there := errors.New("there")
			err = registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				s.Go("newcomer", newcomer.Run)
				ctx, cancel := env.WithTimeout(ctx, time.Minute)
				defer cancel()
				if err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(newcomer.Height(tx) == heights); return nil }); err != nil {
					return fmt.Errorf("the newcomer is stuck: %w", err)
				}
				return there
			})
			if !errors.Is(err, there) {
				return err
			}
			return nil
		})
	})
	require.NoError(t, r.Err)
}
