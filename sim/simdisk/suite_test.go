package simdisk_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simdisk"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/storetest"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// Every check of the suite, in production and in simulations.
func TestSuite(t *testing.T) {
	for name, cfg := range map[string]simdisk.Config{
		"instant": {},
		"slow":    {WriteTime: 10 * time.Microsecond, SyncTime: 20 * time.Microsecond, Jitter: 10 * time.Microsecond, QueueBytes: 100},
	} {
		for _, c := range storetest.Checks() {
			run := func(ctx context.Context, t testing.TB) {
				c.Run(ctx, t, func(tb testing.TB) func() store.Store {
					disk := simdisk.New(cfg)
					return func() store.Store {
						s, err := disk.Open(ctx)
						require.NoError(tb, err)
						return s
					}
				})
			}
			t.Run(name+"/production/"+c.Name, func(t *testing.T) { run(context.Background(), t) })
			t.Run(name+"/simulation/"+c.Name, func(t *testing.T) {
				for seed := range uint64(5) {
					require.NoError(t, sim.Run(seed, func(ctx context.Context) error { run(ctx, t); return nil }).Err)
				}
			})
		}
	}
}
