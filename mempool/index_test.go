package mempool

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// An index is a map, also when all ids fall into few buckets.
func TestIndexIsAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ix := newIndex[int](rand.New(rand.NewPCG(1, 1)), 16)
		ref := map[chain.Hash]Stage{}
		id := func() chain.Hash { return chain.HashOf([]byte{byte(rapid.IntRange(0, 30).Draw(t, "id"))}) }
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			k := id()
			if rapid.Bool().Draw(t, "put") {
				stage := Stage(1 + rapid.IntRange(0, 2).Draw(t, "stage"))
				ref[k] = stage
				require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error { ix.put(tx, &record[int]{id: k, stage: stage}); return nil }))
			} else {
				delete(ref, k)
				require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error { ix.forget(tx, k); return nil }))
			}
			n := 0
			require.NoError(t, stm.Do(t.Context(), func(tx *stm.Tx) error {
				n = 0
				for _, b := range ix.buckets {
					for r := b.Get(tx); r != nil; r = r.next {
						n++
					}
				}
				for k, stage := range ref {
					if r := ix.find(tx, k); r == nil || r.stage != stage {
						t.Fatalf("%v: %+v", k, r)
					}
				}
				return nil
			}))
			require.Equal(t, len(ref), n)
		}
	})
}
