package consensus_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

// A tree agrees with paths written out in full: every block's list of ancestors.
func TestTreeByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const most = 40
		tree := consensus.NewTree(0, 7, most)
		paths, root, next := map[int][]int{0: {0}}, 0, 1
		pick := func(label string) int { return rapid.IntRange(0, next).Draw(t, label) }
		on := func(k, a int) bool {
			for _, x := range paths[k] {
				if x == a {
					return true
				}
			}
			return false
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				k, parent := next, pick("parent")
				if rapid.Bool().Draw(t, "again") {
					k = pick("block")
				}
				_, there := paths[k]
				up, ok := paths[parent]
				fits := ok && !there && len(paths) < most
				err := tree.Add(k, parent)
				require.Equal(t, fits, err == nil, err)
				if fits {
					paths[k] = append(append([]int{}, up...), k)
					next = max(next, k+1)
				} else {
					require.ErrorIs(t, err, consensus.ErrTree)
				}
			},
			"finalize": func(t *rapid.T) {
				k := pick("block")
				path, ok := paths[k]
				got := tree.Finalize(k)
				if !ok {
					require.Nil(t, got)
					return
				}
				require.Equal(t, path[1:], append([]int{}, got...))
				root = k
				for x, p := range paths {
					if !on(x, k) {
						delete(paths, x)
						continue
					}
					paths[x] = p[len(path)-1:]
				}
			},
			"": func(t *rapid.T) {
				a, b := pick("a"), pick("b")
				require.Equal(t, len(paths), tree.Len())
				require.Equal(t, root, tree.Root())
				_, has := paths[a]
				require.Equal(t, has, tree.Has(a))
				_, hasB := paths[b]
				require.Equal(t, has && hasB && on(a, b), tree.Extends(a, b))
				common, ok := tree.Common(a, b)
				require.Equal(t, has && hasB, ok)
				if ok {
					n := 0
					for n < min(len(paths[a]), len(paths[b])) && paths[a][n] == paths[b][n] {
						n++
					}
					require.Equal(t, paths[a][n-1], common)
				}
				if has {
					parent, ok := tree.Parent(a)
					require.Equal(t, a != root, ok)
					if ok {
						require.Equal(t, paths[a][len(paths[a])-2], parent)
						h, _ := tree.Height(a)
						low, _ := tree.Height(parent)
						require.Equal(t, low+1, h)
					}
				}
			},
		})
	})
}

func ExampleTree() {
	t := consensus.NewTree("genesis", 0, 100)
	for _, b := range [][2]string{{"a1", "genesis"}, {"a2", "a1"}, {"b2", "a1"}, {"b3", "b2"}} {
		if err := t.Add(b[0], b[1]); err != nil {
			fmt.Println(err)
		}
	}
	fmt.Println(t.Common("a2", "b3"))
	fmt.Println(t.Finalize("b2"), t.Has("a2"), t.Len())
	fmt.Println(t.Add("a3", "a2"))
	// Output:
	// a1 true
	// [a1 b2] false 2
	// consensus: block does not fit the tree: parent a2 unknown
}
