package rule_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/stm"
)

func shown(ctx context.Context, m *rule.Module[*counter]) int {
	x, _ := stm.Query(ctx, m.State.shown.Seen)
	return x
}

// ahead counts, over a simulated disk, for all disks that a power loss could leave whenever something is said, how often
// what was said is more than what is found again.
func ahead(t *testing.T, seed uint64, visible func(m any) int) (broken int) {
	r := sim.Run(seed, func(ctx context.Context) error {
		disk := simdisk.New(simdisk.Config{WriteTime: time.Millisecond, SyncTime: 3 * time.Millisecond, Jitter: 2 * time.Millisecond})
		db, err := disk.Open(ctx)
		if err != nil {
			return err
		}
		seen := 0
		look := func(ctx context.Context) error {
			for _, image := range disk.Images(ctx) {
				db, err := image.Open(ctx)
				if err != nil {
					return err
				}
				again, err := rule.Open(ctx, counting(), rule.Wiring{Store: db})
				if err != nil {
					return err
				}
				if again.State.n.Get(&rule.Tx{}) < seen {
					broken++
				}
			}
			return nil
		}
		m, err := rule.Open(ctx, counting(), rule.Wiring{Store: db, Out: func(ctx context.Context, ms []rule.Message) error {
			for _, m := range ms {
				seen = max(seen, visible(m.Body))
			}
			return look(ctx)
		}})
		if err != nil {
			return err
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			err := s.Daemon(ctx, "counter", func(ctx context.Context, ready func()) error { ready(); return m.Run(ctx) })
			if err != nil {
				return err
			}
			const n = 15
			for range n {
				if err := m.Post(ctx, 1, add{1}); err != nil {
					return err
				}
				if err := env.Sleep(ctx, time.Duration(env.Rand(ctx).IntN(3000))*time.Microsecond); err != nil {
					return err
				}
				if seen = max(seen, shown(ctx, m)); seen > 0 {
					if err := look(ctx); err != nil {
						return err
					}
				}
			}
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(m.State.shown.Seen(tx) == n); return nil })
		})
	})
	require.NoError(t, r.Err, "seed %d", seed)
	return broken
}

// Whenever the power fails, what anybody has been told, or has seen of an Output, is on the disk. The planted bug: one
// who believes what was said early.
func TestPowerLossTakesNothingThatWasSeen(t *testing.T) {
	early := 0
	for seed := range uint64(long.N(20, 1000)) {
		require.Zero(t, ahead(t, seed, func(m any) int {
			if x, ok := m.(total); ok {
				return x.N
			}
			return 0
		}), "seed %d", seed)
		told := 0
		early += ahead(t, seed, func(m any) int {
			if x, ok := m.(hint); ok {
				told += x.N
			}
			return told
		})
	}
	require.Positive(t, early)
}
