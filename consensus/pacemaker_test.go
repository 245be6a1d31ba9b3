package consensus_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

// Timeouts never shrink, never overflow, and pass any delay below Max if they grow at all.
func TestPacemakerGrows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := consensus.Pacemaker{
			First: time.Duration(rapid.Int64Range(1, 1e10).Draw(t, "first")),
			Step:  time.Duration(rapid.Int64Range(0, 1e10).Draw(t, "step")),
			Ratio: rapid.SampledFrom([]float64{0, 1, 1.5, 2}).Draw(t, "ratio"),
			Max:   time.Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "max")),
		}
		r := rapid.Uint64().Draw(t, "round")
		require.GreaterOrEqual(t, p.Timeout(r|1), p.Timeout(r&^1))
		require.Positive(t, p.Timeout(r)+time.Duration(1))
		if p.Max > 0 {
			require.LessOrEqual(t, p.Timeout(r), p.Max)
		}
		if p.Step > 0 || p.Ratio > 1 {
			limit := p.Max
			if limit == 0 {
				limit = time.Hour
			}
			require.GreaterOrEqual(t, p.Timeout(1<<62), min(limit, time.Hour))
		}
	})
}

func ExamplePacemaker() {
	linear := consensus.Pacemaker{First: time.Second, Step: 500 * time.Millisecond}
	doubling := consensus.Pacemaker{First: time.Second, Ratio: 2, Max: 5 * time.Second}
	for r := range uint64(4) {
		fmt.Println(linear.Timeout(r), doubling.Timeout(r))
	}
	// Output:
	// 1s 1s
	// 1.5s 2s
	// 2s 4s
	// 2.5s 5s
}
