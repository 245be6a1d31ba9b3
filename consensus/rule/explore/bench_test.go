package explore_test

import (
	"testing"

	"github.com/synodkit/synod/consensus/rule"
	"github.com/synodkit/synod/consensus/rule/explore"
)

// What a transition costs: of facts in a pool, where guards dominate; and of messages, where each may be heard again in
// every state.
func BenchmarkRun(b *testing.B) {
	b.Run("facts", func(b *testing.B) {
		w := tendWorld(false, rule.Durable[at])
		w.StatesMax = 300_000
		transitions(b, w)
	})
	b.Run("messages", func(b *testing.B) {
		w := copyWorld(ownSynced, false, 2)
		w.StatesMax = 300_000
		transitions(b, w)
	})
	b.Run("messages, unsynced", func(b *testing.B) {
		w := copyWorld(ownSynced, true, 2)
		w.StatesMax = 300_000
		transitions(b, w)
	})
}

func transitions[P any](b *testing.B, w rule.World[P]) {
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n += explore.Run(w).Transitions
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds()/1e6, "Mtrans/s")
	b.ReportMetric(float64(n)/float64(b.N), "transitions/op")
}
