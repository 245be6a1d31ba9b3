package store

import (
	"bytes"
	"hash/fnv"
)

// node is a persistent treap: changes copy the path to the root, older roots keep their content. A node's priority is a hash
// of its key, so the shape depends on the content alone. A nil node is empty.
type node struct {
	entry       Entry
	priority    uint64
	left, right *node
}

func (n *node) find(key []byte) *node {
	for n != nil {
		switch c := bytes.Compare(key, n.entry.Key); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n
		}
	}
	return nil
}

// with is n with e in it. It keeps e.
func (n *node) with(e Entry) *node {
	left, right := n.without(e.Key).split(e.Key)
	return left.join(&node{entry: e, priority: priority(e.Key)}).join(right)
}

// priority spreads what FNV leaves alike in its high bits for keys that differ at their end, as numbers do.
func priority(key []byte) uint64 {
	h := fnv.New64a()
	h.Write(key)
	x := h.Sum64()
	x = (x ^ x>>33) * 0xff51afd7ed558ccd
	x = (x ^ x>>33) * 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// without is n without the key; n itself if it is not there.
func (n *node) without(key []byte) *node {
	if n.find(key) == nil {
		return n
	}
	c := bytes.Compare(key, n.entry.Key)
	if c == 0 {
		return n.left.join(n.right)
	}
	m := *n
	if c < 0 {
		m.left = n.left.without(key)
	} else {
		m.right = n.right.without(key)
	}
	return &m
}

// split parts n into the keys below key and the others.
func (n *node) split(key []byte) (low, high *node) {
	if n == nil {
		return nil, nil
	}
	m := *n
	if bytes.Compare(n.entry.Key, key) < 0 {
		m.right, high = n.right.split(key)
		return &m, high
	}
	low, m.left = n.left.split(key)
	return low, &m
}

// join puts r after n, all of whose keys are lower.
func (n *node) join(r *node) *node {
	switch {
	case n == nil:
		return r
	case r == nil:
		return n
	case n.priority > r.priority:
		m := *n
		m.right = n.right.join(r)
		return &m
	}
	m := *r
	m.left = n.join(r.left)
	return &m
}

// scan yields the entries with from <= key < to in order, to the end if to is empty; false if yield ended it.
func (n *node) scan(from, to []byte, yield func(Entry) bool) bool {
	if n == nil {
		return true
	}
	above := len(to) > 0 && bytes.Compare(n.entry.Key, to) >= 0
	below := bytes.Compare(n.entry.Key, from) < 0
	if !below && !n.left.scan(from, to, yield) {
		return false
	}
	if !below && !above && !yield(n.entry) {
		return false
	}
	return above || n.right.scan(from, to, yield)
}
