//go:build race

package sim_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// shared is a program in which two tasks add to a plain int, each between transactions of its own. ordered makes the second wait for the first.
func shared(ordered bool) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		w, n, done := seam.From(ctx), 0, stm.NewVar(0)
		add := func() {
			own := stm.NewVar(0)
			_ = stm.Do(ctx, inc(own))
			n++
			_ = stm.Do(ctx, inc(own))
		}
		first := w.Spawn("first", func() { add(); _ = stm.Do(ctx, inc(done)) })
		second := w.Spawn("second", func() {
			if ordered {
				_ = stm.Do(ctx, positive(done))
			}
			add()
		})
		first()
		second()
		if n != 2 {
			return fmt.Errorf("n is %d", n)
		}
		return nil
	}
}

const racy = "SYNOD_TEST_RACY_SEED"

// TestRacy is what TestPlantedRaceIsFound runs in a process of its own.
func TestRacy(t *testing.T) {
	seed, ok := os.LookupEnv(racy)
	if !ok {
		t.Skip("run by TestPlantedRaceIsFound")
	}
	var n uint64
	_, err := fmt.Sscan(seed, &n)
	require.NoError(t, err)
	require.NoError(t, sim.Run(n, shared(false), sim.Races()).Err)
}

// The detector finds the race under every schedule, although the tasks never run at once; and it says nothing about what is ordered.
func TestPlantedRaceIsFound(t *testing.T) {
	for seed := range 8 {
		c := exec.Command(os.Args[0], "-test.run=^TestRacy$")
		c.Env = append(os.Environ(), fmt.Sprintf("%s=%d", racy, seed))
		out, err := c.CombinedOutput()
		require.Error(t, err, "seed %d", seed)
		require.Equal(t, 1, strings.Count(string(out), "WARNING: DATA RACE"), "seed %d: %s", seed, out)
		require.Contains(t, string(out), "shared.func1.1")
	}
	for seed := range uint64(100) {
		require.NoError(t, sim.Run(seed, shared(true), sim.Races()).Err)
	}
}
