package env_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

var errBoom = errors.New("boom")

// bothWorlds runs one program text in production and in simulations.
func bothWorlds(t *testing.T, program func(ctx context.Context) error) {
	t.Helper()
	t.Run("production", func(t *testing.T) { require.NoError(t, program(context.Background())) })
	t.Run("simulated", func(t *testing.T) {
		hashes := map[uint64]bool{}
		for seed := range uint64(20) {
			r := sim.Run(seed, program)
			require.NoError(t, r.Err, "seed %d", seed)
			require.Equal(t, r.Hash, sim.Run(seed, program).Hash, "the same trace twice")
			hashes[r.Hash] = true
		}
		if len(hashes) == 1 {
			t.Log("no choice in this program")
		}
	})
}
