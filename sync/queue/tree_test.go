package queue

import (
	"cmp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// TestTree compares the tree with a sorted slice, keeps every version and looks at all of them again at the end.
func TestTree(t *testing.T) {
	o := order[int](cmp.Compare[int])
	rapid.Check(t, func(rt *rapid.T) {
		var root *node[int]
		var model []int
		var versions []*node[int]
		var models [][]int
		for range rapid.IntRange(0, 60).Draw(rt, "n") {
			e := rapid.IntRange(0, 30).Draw(rt, "e")
			i, found := slices.BinarySearch(model, e)
			model = slices.Clone(model)
			if rapid.Bool().Draw(rt, "with") {
				root = o.with(root, e)
				if !found {
					model = slices.Insert(model, i, e)
				}
			} else {
				root = o.without(root, e)
				if found {
					model = slices.Delete(model, i, i+1)
				}
			}
			_, has := o.find(root, e)
			require.Equal(rt, slices.Contains(model, e), has)
			if len(model) > 0 {
				require.Equal(rt, model[0], first(root))
			}
			versions, models = append(versions, root), append(models, model)
		}
		for i, v := range versions {
			require.True(rt, slices.Equal(models[i], elements(v)), "version %d", i)
			balanced(rt, v)
		}
	})
}

func elements(n *node[int]) []int {
	if n == nil {
		return nil
	}
	return append(append(elements(n.left), n.e), elements(n.right)...)
}

func balanced(t require.TestingT, n *node[int]) {
	if n == nil {
		return
	}
	require.Equal(t, 1+max(heightOf(n.left), heightOf(n.right)), n.height)
	require.LessOrEqual(t, max(heightOf(n.left)-heightOf(n.right), heightOf(n.right)-heightOf(n.left)), int8(1))
	balanced(t, n.left)
	balanced(t, n.right)
}
