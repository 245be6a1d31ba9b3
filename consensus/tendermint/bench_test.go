package tendermint_test

import (
	"context"
	"testing"
	"time"

	"github.com/synodkit/synod/consensus/rule/explore"
	"github.com/synodkit/synod/consensus/tendermint"
)

// BenchmarkDecide is heights decided by four validators in one process, with ed25519 signatures, a store in memory and no delays: the
// price of the protocol itself.
func BenchmarkDecide(b *testing.B) {
	ctx := context.Background()
	w := signing(newNetwork(ctx, always(0), 1, 1, 1, 1))
	b.ReportAllocs()
	b.ResetTimer()
	err := w.run(ctx, func(ctx context.Context) error { return w.reach(ctx, tendermint.Height(b.N), time.Hour, 0, 1, 2, 3) })
	if err != nil {
		b.Fatal(err)
	}
}

// BenchmarkExplore is a transition, in the world of 956,907 states.
func BenchmarkExplore(b *testing.B) {
	b.ReportAllocs()
	n := 0
	for n < b.N {
		r := explore.Run(tendermint.World(tendermint.Bounds{Rounds: 2, Values: 2, Proposes: 1}))
		if r.Err != nil {
			b.Fatal(r.Err)
		}
		n += r.Transitions
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mtransitions/s")
}
