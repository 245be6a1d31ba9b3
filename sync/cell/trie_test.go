package cell

import (
	"hash/maphash"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTrie compares the trie with a Go map, keeps every version and looks at all of them again at the end.
func TestTrie(t *testing.T) {
	seed := maphash.MakeSeed()
	rapid.Check(t, func(rt *rapid.T) {
		var root *trie[int, int]
		model := map[int]int{}
		var versions []*trie[int, int]
		var models []map[int]int
		for range rapid.IntRange(0, 80).Draw(rt, "n") {
			k := rapid.IntRange(0, 40).Draw(rt, "k")
			model = maps.Clone(model)
			if rapid.Bool().Draw(rt, "with") {
				v := rapid.Int().Draw(rt, "v")
				root, model[k] = root.with(seed, k, v), v
			} else {
				root = root.without(seed, k)
				delete(model, k)
			}
			versions, models = append(versions, root), append(models, model)
		}
		for i, v := range versions {
			for k := range 41 {
				want, has := models[i][k]
				got, ok := v.get(seed, k)
				require.Equal(rt, has, ok)
				require.Equal(rt, want, got)
			}
			require.Equal(rt, len(models[i]), size(v))
		}
	})
}

func size(t *trie[int, int]) int {
	if t == nil {
		return 0
	}
	n := 1
	for _, kid := range t.kids {
		n += size(kid)
	}
	return n
}

// TestTrieAlike has keys whose hashes are one and the same: the trie is a list then, and right.
func TestTrieAlike(t *testing.T) {
	var root *trie[int, int]
	for k := range 40 {
		root = root.put(&trie[int, int]{hash: 7, key: k, value: k}, 0)
	}
	require.Equal(t, 40, size(root))
	for k := range 40 {
		root = root.cut(7, (k*7)%40, 0)
		require.Equal(t, 39-k, size(root))
	}
}
