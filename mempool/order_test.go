package mempool

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// An order is a slice, and older ones keep their content.
func TestOrderIsASlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type version struct {
			o   order[int]
			ref []uint64
		}
		var b builder[int]
		var ref []uint64
		for i := range rapid.IntRange(0, 200).Draw(t, "built") {
			b.add(slot[int]{ticket: uint64(2*i + 1)})
			ref = append(ref, uint64(2*i+1))
		}
		versions := []version{{b.order, ref}}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			v := versions[rapid.IntRange(0, len(versions)-1).Draw(t, "from")]
			next := uint64(1)
			if n := len(v.ref); n > 0 {
				next = v.ref[n-1] + 1 + uint64(rapid.IntRange(0, 2).Draw(t, "gap"))
			}
			versions = append(versions, version{v.o.with(slot[int]{ticket: next}), append(slices.Clone(v.ref), next)})
		}
		for _, v := range versions {
			var got []uint64
			for s := range v.o.from(0) {
				got = append(got, s.ticket)
			}
			require.Equal(t, v.ref, got)
			require.Equal(t, len(v.ref), v.o.len())
			at := rapid.Uint64Range(0, 500).Draw(t, "ticket")
			want := slices.IndexFunc(v.ref, func(x uint64) bool { return x > at })
			if want < 0 {
				want = len(v.ref)
			}
			require.Equal(t, want, v.o.after(at))
		}
	})
}

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
