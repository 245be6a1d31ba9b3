package queue

// node is an immutable AVL tree; nil is the empty one. Changes share what they leave alone, so a tree fits in a Var.
// Whatever is put into it, the path to an element is short: values may come from people who want it long.
type node[E any] struct {
	left, right *node[E]
	e           E
	height      int8
}

// order is negative if a goes before b, 0 only for one and the same element.
type order[E any] func(a, b E) int

func heightOf[E any](n *node[E]) int8 {
	if n == nil {
		return 0
	}
	return n.height
}

// join is the tree of l, e and r, whose heights differ by at most 2.
func join[E any](l *node[E], e E, r *node[E]) *node[E] {
	switch d := heightOf(l) - heightOf(r); {
	case d > 1 && heightOf(l.left) >= heightOf(l.right):
		return leaf(l.left, l.e, leaf(l.right, e, r))
	case d > 1:
		m := l.right
		return leaf(leaf(l.left, l.e, m.left), m.e, leaf(m.right, e, r))
	case d < -1 && heightOf(r.right) >= heightOf(r.left):
		return leaf(leaf(l, e, r.left), r.e, r.right)
	case d < -1:
		m := r.left
		return leaf(leaf(l, e, m.left), m.e, leaf(m.right, r.e, r.right))
	}
	return leaf(l, e, r)
}

// leaf is join where nothing has to be turned.
func leaf[E any](l *node[E], e E, r *node[E]) *node[E] {
	return &node[E]{l, r, e, 1 + max(heightOf(l), heightOf(r))}
}

// with has e, in the place of an element that is the same.
func (o order[E]) with(n *node[E], e E) *node[E] {
	if n == nil {
		return leaf(nil, e, nil)
	}
	switch c := o(e, n.e); {
	case c < 0:
		return join(o.with(n.left, e), n.e, n.right)
	case c > 0:
		return join(n.left, n.e, o.with(n.right, e))
	}
	return leaf(n.left, e, n.right)
}

// without has no e.
func (o order[E]) without(n *node[E], e E) *node[E] {
	if n == nil {
		return nil
	}
	switch c := o(e, n.e); {
	case c < 0:
		return join(o.without(n.left, e), n.e, n.right)
	case c > 0:
		return join(n.left, n.e, o.without(n.right, e))
	case n.right == nil:
		return n.left
	}
	return join(n.left, first(n.right), withoutFirst(n.right))
}

// find gives the element that is the same as e.
func (o order[E]) find(n *node[E], e E) (found E, ok bool) {
	for n != nil {
		switch c := o(e, n.e); {
		case c < 0:
			n = n.left
		case c > 0:
			n = n.right
		default:
			return n.e, true
		}
	}
	return found, false
}

// first is the first element of a tree that has one.
func first[E any](n *node[E]) E {
	for n.left != nil {
		n = n.left
	}
	return n.e
}

func withoutFirst[E any](n *node[E]) *node[E] {
	if n.left == nil {
		return n.right
	}
	return join(withoutFirst(n.left), n.e, n.right)
}

// each shows f the elements in their order until it says that it is enough.
func (n *node[E]) each(f func(e E) bool) bool {
	return n == nil || n.left.each(f) && f(n.e) && n.right.each(f)
}
