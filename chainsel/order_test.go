package chainsel

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
)

// drawTip draws tips that are often equal in part.
func drawTip(t *rapid.T, name string) chain.Tip {
	small := rapid.IntRange(0, 2)
	return chain.Tip{
		BlockNo: chain.BlockNo(small.Draw(t, name+" number")),
		Point:   chain.Point{Slot: chain.Slot(small.Draw(t, name+" slot")), Hash: chain.Hash{byte(small.Draw(t, name+" hash"))}},
	}
}

// orderLaw looks for a broken law among three tips.
func orderLaw(o Order, a, b, c chain.Tip) error {
	sign := func(n int) int { return min(max(n, -1), 1) }
	switch {
	case (o.Compare(a, b) == 0) != (a == b):
		return fmt.Errorf("%w: 0 for equal tips alone: %v, %v", errLaw, a, b)
	case sign(o.Compare(a, b)) != -sign(o.Compare(b, a)):
		return fmt.Errorf("%w: antisymmetric: %v, %v", errLaw, a, b)
	case o.Compare(a, b) > 0 && o.Compare(b, c) > 0 && o.Compare(a, c) <= 0:
		return fmt.Errorf("%w: transitive: %v, %v, %v", errLaw, a, b, c)
	}
	longer := a
	longer.BlockNo, longer.Point.Hash, longer.Point.Slot = a.BlockNo+1, b.Point.Hash, a.Point.Slot+1
	if o.Compare(longer, a) <= 0 {
		return fmt.Errorf("%w: an extension is better: %v, %v", errLaw, a, longer)
	}
	return nil
}

var errLaw = errors.New("law broken")

func TestLongestIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		require.NoError(t, orderLaw(Longest{}, drawTip(t, "a"), drawTip(t, "b"), drawTip(t, "c")))
	})
}

// looseLongest is the bug that the law excludes: of equally long chains, the newcomer wins.
type looseLongest struct{}

func (looseLongest) Compare(a, b chain.Tip) int {
	if a.BlockNo == b.BlockNo {
		return 1
	}
	return Longest{}.Compare(a, b)
}

// plainLongest does not break ties: nodes would stay with what came first.
type plainLongest struct{}

func (plainLongest) Compare(a, b chain.Tip) int { return int(a.BlockNo) - int(b.BlockNo) }

func TestPlantedTiesAreCaught(t *testing.T) {
	for _, o := range []Order{looseLongest{}, plainLongest{}} {
		caught := false
		for seed := range 100 {
			rapid.Custom(func(t *rapid.T) int {
				if orderLaw(o, drawTip(t, "a"), drawTip(t, "b"), drawTip(t, "c")) != nil {
					caught = true
				}
				return 0
			}).Example(seed)
		}
		require.True(t, caught, "%T", o)
	}
}

func TestTrie(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Few bytes differ, also the last ones, so that branches get deep and keys collide.
		key := func() chain.Hash {
			k := chain.Hash{byte(rapid.IntRange(0, 3).Draw(t, "first"))}
			k[31] = byte(rapid.IntRange(0, 7).Draw(t, "last"))
			return k
		}
		type version struct {
			trie  trie[int]
			model map[chain.Hash]int
		}
		versions := []version{{model: map[chain.Hash]int{}}}
		for i := range rapid.IntRange(0, 40).Draw(t, "changes") {
			last := versions[len(versions)-1]
			next := version{last.trie, map[chain.Hash]int{}}
			for k, v := range last.model {
				next.model[k] = v
			}
			if k := key(); rapid.IntRange(0, 2).Draw(t, "kind") > 0 {
				next.trie, next.model[k] = next.trie.Set(k, i), i
			} else {
				next.trie = next.trie.Delete(k)
				delete(next.model, k)
			}
			versions = append(versions, next)
		}
		for _, v := range versions { // older ones too
			require.Equal(t, len(v.model), v.trie.Len())
			require.Len(t, maps.Collect(v.trie.All()), len(v.model))
			for a := range 4 {
				for b := range 8 {
					k := chain.Hash{byte(a)}
					k[31] = byte(b)
					got, ok := v.trie.Get(k)
					want, has := v.model[k]
					require.Equal(t, has, ok)
					require.Equal(t, want, got)
				}
			}
		}
	})
}
