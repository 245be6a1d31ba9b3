package leaderschedule_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// lengths is a ledger that counts blocks.
type lengths struct{}

func (lengths) Apply(n int, _ chain.Block) (int, error) { return n + 1, nil }

// replica is one forger with its chain.
type replica struct {
	chain    *chainsel.Chain[int]
	schedule *leaderschedule.Schedule
	forger   leaderschedule.Forger
}

func openReplica(ctx context.Context, s *registry.Scope, g chain.Genesis, key sign.PrivateKey, name int) (*replica, error) {
	sched, err := leaderschedule.New(g)
	if err != nil {
		return nil, err
	}
	disk := store.NewMemory()
	c, err := chainsel.Open(ctx, s, chainsel.Config[int]{
		Genesis: g.Tip(), K: 10, Ledger: lengths{}, Store: disk, CheckHeader: sched.CheckHeader,
	})
	if err != nil {
		return nil, err
	}
	signer, err := leaderschedule.OpenSigner(sched, key, disk)
	if err != nil {
		return nil, err
	}
	return &replica{c, sched, leaderschedule.Forger{
		Signer: signer, Tip: c.Tip,
		Body: func(tx *stm.Tx, slot chain.Slot, _ chain.Tip) func() []byte {
			n := c.Selection(tx).State
			return func() []byte { return fmt.Appendf(nil, "slot %d by %d on %d", slot, name, n) }
		},
		Submit: func(ctx context.Context, b chain.Block) error { _, err := c.AddBlock(ctx, b); return err },
	}}, nil
}

// relay carries the selection of one replica to another, with a delay that may be longer than a slot; so forks come and go.
func relay(ctx context.Context, from, to *replica) error {
	f, err := from.chain.NewFollower(ctx)
	if err != nil {
		return err
	}
	defer f.Close(ctx)
	for {
		step, err := stm.Query(ctx, func(tx *stm.Tx) chain.Step {
			step, ok := f.Next(tx)
			tx.Check(ok)
			return step
		})
		if err != nil {
			return err
		}
		if step.Header == nil {
			continue
		}
		if err := env.Sleep(ctx, time.Duration(env.Rand(ctx).IntN(700))*time.Millisecond); err != nil {
			return err
		}
		if err := to.schedule.CheckTime(env.Now(ctx), step.Header.Slot()); err != nil {
			return err
		}
		b, err := from.chain.Block(ctx, step.To)
		if err != nil {
			return err
		}
		if _, err := to.chain.AddBlock(ctx, b); err != nil {
			return err
		}
	}
}

// network runs n forgers for some slots and some more time without them, and gives each one's tip and the rollbacks of all.
func network(seed uint64, n, slots int, opts ...sim.Option) (tips []chain.Tip, rollbacks uint64, r *sim.Report) {
	r = sim.Run(seed, func(ctx context.Context) error {
		g := chain.Genesis{Network: "sim", Start: env.Now(ctx), SlotLength: 500 * time.Millisecond}
		keys := make([]sign.PrivateKey, n)
		for i := range keys {
			keys[i] = sign.KeyFromSeed([32]byte{7, byte(i)})
			p := keys[i].Public()
			g.Keys = append(g.Keys, p[:])
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			all := make([]*replica, n)
			for i, k := range keys {
				var err error
				if all[i], err = openReplica(ctx, s, g, k, i); err != nil {
					return err
				}
			}
			daemon := func(name string, f func(context.Context) error) error {
				return s.Daemon(ctx, name, func(ctx context.Context, ready func()) error { ready(); return f(ctx) })
			}
			for i, a := range all {
				if err := daemon(fmt.Sprint("relay ", i), func(ctx context.Context) error {
					return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
						for j, b := range all {
							if i != j {
								s.Go(fmt.Sprint("to ", j), func(ctx context.Context) error { return relay(ctx, a, b) })
							}
						}
						return nil
					})
				}); err != nil {
					return err
				}
			}
			if err := forgeFor(ctx, all, time.Duration(slots)*g.SlotLength+g.SlotLength/2); err != nil {
				return err
			}
			if err := env.Sleep(ctx, time.Minute); err != nil {
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error {
				var t []chain.Tip
				var n uint64
				for _, a := range all {
					t, n = append(t, a.chain.Tip(tx)), n+a.chain.Rollbacks(tx)
				}
				tips, rollbacks = t, n
				return nil
			})
		})
	}, opts...)
	return tips, rollbacks, r
}

// forgeFor runs all forgers for a while.
func forgeFor(ctx context.Context, all []*replica, d time.Duration) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		for i, a := range all {
			s.Go(fmt.Sprint("forger ", i), func(ctx context.Context) error {
				short, cancel := env.WithTimeout(ctx, d)
				defer cancel()
				if err := a.forger.Run(short); short.Err() == nil {
					return err
				}
				return nil
			})
		}
		return nil
	})
}

func TestForgersConverge(t *testing.T) {
	var all uint64
	for seed := range uint64(long.N(10, 1000)) {
		tips, rollbacks, r := network(seed, 4, 40)
		require.NoError(t, r.Err, "seed %d", seed)
		for _, tip := range tips {
			require.Equal(t, tips[0], tip, "seed %d", seed)
		}
		require.Greater(t, tips[0].BlockNo, chain.BlockNo(10))
		all += rollbacks
	}
	require.Positive(t, all, "forks came and went")
}

func TestSameSeedSameTrace(t *testing.T) {
	_, _, a := network(3, 3, 10, sim.Record())
	_, _, b := network(3, 3, 10, sim.Record())
	require.NoError(t, a.Err)
	require.NotEmpty(t, a.Trace)
	require.Equal(t, a.Trace, b.Trace)
	require.Equal(t, a.Hash, b.Hash)
	_, _, c := network(4, 3, 10)
	require.NotEqual(t, a.Hash, c.Hash)
}
