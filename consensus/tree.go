package consensus

import (
	"errors"
	"fmt"
)

// ErrTree says that a block does not fit into a tree.
var ErrTree = errors.New("consensus: block does not fit the tree")

// Tree is the blocks that are not final, by parent, above one that is: the root. K names a block.
type Tree[K comparable] struct {
	root  K
	nodes map[K]branch[K]
	most  int
}

type branch[K comparable] struct {
	parent K
	height uint64
}

// NewTree is the tree of a root with its height alone; it will hold at most most blocks.
func NewTree[K comparable](root K, height uint64, most int) *Tree[K] {
	return &Tree[K]{root: root, nodes: map[K]branch[K]{root: {root, height}}, most: most}
}

// Add puts a block above its parent. ErrTree if the parent is not there, the block is there already, or the tree is full.
func (t *Tree[K]) Add(k, parent K) error {
	p, ok := t.nodes[parent]
	switch {
	case !ok:
		return fmt.Errorf("%w: parent %v unknown", ErrTree, parent)
	case t.Has(k):
		return fmt.Errorf("%w: %v is there", ErrTree, k)
	case len(t.nodes) >= t.most:
		return fmt.Errorf("%w: %d blocks already", ErrTree, t.most)
	}
	t.nodes[k] = branch[K]{parent, p.height + 1}
	return nil
}

// Root is the last final block.
func (t *Tree[K]) Root() K { return t.root }

// Len is the number of blocks, the root included.
func (t *Tree[K]) Len() int { return len(t.nodes) }

// Has reports that a block is in the tree.
func (t *Tree[K]) Has(k K) bool { _, ok := t.nodes[k]; return ok }

// Height is that of a block; false if it is not in the tree.
func (t *Tree[K]) Height(k K) (uint64, bool) { n, ok := t.nodes[k]; return n.height, ok }

// Parent is the block below; false for the root and for what is not in the tree.
func (t *Tree[K]) Parent(k K) (K, bool) {
	n, ok := t.nodes[k]
	return n.parent, ok && k != t.root
}

// Extends reports that ancestor is k or below it.
func (t *Tree[K]) Extends(k, ancestor K) bool {
	a, ok := t.nodes[ancestor]
	if !ok || !t.Has(k) {
		return false
	}
	return t.down(k, a.height) == ancestor
}

// down is the block on k's branch at a height, or k if that is lower.
func (t *Tree[K]) down(k K, height uint64) K {
	for t.nodes[k].height > height {
		k = t.nodes[k].parent
	}
	return k
}

// Common is the highest block that both extend; false if one is not in the tree.
func (t *Tree[K]) Common(a, b K) (k K, ok bool) {
	if !t.Has(a) || !t.Has(b) {
		return k, false
	}
	a, b = t.down(a, t.nodes[b].height), t.down(b, t.nodes[a].height)
	for a != b {
		a, b = t.nodes[a].parent, t.nodes[b].parent
	}
	return a, true
}

// Finalize makes k the root and forgets what does not extend it. It returns the blocks that became final, oldest first, without the old
// root and with k; nil if k is not in the tree.
func (t *Tree[K]) Finalize(k K) []K {
	n, ok := t.nodes[k]
	if !ok {
		return nil
	}
	final := make([]K, n.height-t.nodes[t.root].height)
	for i, at := len(final)-1, k; i >= 0; i-- {
		final[i], at = at, t.nodes[at].parent
	}
	keep := make(map[K]branch[K])
	for x, b := range t.nodes {
		if t.Extends(x, k) {
			keep[x] = b
		}
	}
	keep[k] = branch[K]{k, n.height}
	t.root, t.nodes = k, keep
	return final
}
