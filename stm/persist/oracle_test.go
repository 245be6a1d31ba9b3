package persist_test

import (
	"testing"

	"github.com/benbjohnson/immutable"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/stm/persist"
)

// intHasher gives immutable.Map the hash of ours, cut to its 32 bits.
type intHasher struct{}

func (intHasher) Hash(k int) uint32   { return uint32(persist.HashUint64(uint64(k)) % 50) }
func (intHasher) Equal(a, b int) bool { return a == b }

// A Trie holds what an immutable.Map holds after the same changes, and so do their earlier versions.
func TestTrieOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ours := persist.NewTrie[int, int](func(k int) uint64 { return persist.HashUint64(uint64(k)) % 50 })
		theirs := immutable.NewMap[int, int](intHasher{})
		type pair struct {
			ours   persist.Trie[int, int]
			theirs *immutable.Map[int, int]
		}
		var versions []pair
		key := rapid.IntRange(-100, 300)
		t.Repeat(map[string]func(*rapid.T){
			"set": func(t *rapid.T) {
				k, v := key.Draw(t, "key"), rapid.Int().Draw(t, "value")
				ours, theirs = ours.Set(k, v), theirs.Set(k, v)
			},
			"delete": func(t *rapid.T) {
				k := key.Draw(t, "key")
				ours, theirs = ours.Delete(k), theirs.Delete(k)
			},
			"keep": func(*rapid.T) { versions = append(versions, pair{ours, theirs}) },
		})
		for _, p := range append(versions, pair{ours, theirs}) {
			require.NoError(t, p.ours.Check())
			require.Equal(t, p.theirs.Len(), p.ours.Len())
			for i := p.theirs.Iterator(); !i.Done(); {
				k, want, _ := i.Next()
				got, ok := p.ours.Get(k)
				require.True(t, ok)
				require.Equal(t, want, got)
			}
		}
	})
}

// A Seq without holes is an immutable.List whose index 0 is Lo.
func TestSeqOracle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lo := rapid.Uint64Range(0, 1<<40).Draw(t, "lo")
		ours, theirs := persist.NewSeq[int](lo), immutable.NewList[int]()
		type pair struct {
			ours   persist.Seq[int]
			theirs *immutable.List[int]
		}
		var versions []pair
		within := func(t *rapid.T) int { return rapid.IntRange(0, theirs.Len()).Draw(t, "at") }
		t.Repeat(map[string]func(*rapid.T){
			"append": func(t *rapid.T) {
				for i := range rapid.IntRange(1, 100).Draw(t, "many") {
					ours, theirs = ours.Append(i), theirs.Append(i)
				}
			},
			"drop": func(t *rapid.T) {
				if n := within(t); theirs.Len() > 0 {
					ours, theirs = ours.Drop(ours.Lo()+uint64(n)), theirs.Slice(n, theirs.Len())
				}
			},
			"cut": func(t *rapid.T) {
				if n := within(t); theirs.Len() > 0 {
					ours, theirs = ours.Cut(ours.Lo()+uint64(n)), theirs.Slice(0, n)
				}
			},
			"set": func(t *rapid.T) {
				if n := within(t); n < theirs.Len() {
					ours, theirs = ours.Set(ours.Lo()+uint64(n), -n), theirs.Set(n, -n)
				}
			},
			"keep": func(*rapid.T) { versions = append(versions, pair{ours, theirs}) },
		})
		for _, p := range append(versions, pair{ours, theirs}) {
			require.NoError(t, p.ours.Check())
			require.Equal(t, p.theirs.Len(), p.ours.Len())
			n := 0
			for at, v := range p.ours.All() {
				require.Equal(t, p.ours.Lo()+uint64(n), at)
				require.Equal(t, p.theirs.Get(n), v)
				n++
			}
			require.Equal(t, p.theirs.Len(), n)
		}
	})
}
