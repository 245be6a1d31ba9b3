package persist

import "math/bits"

// branch is an inner node of a Trie: what stands here under its next digit, and what stands in branches below. No digit
// is in both sets. Every branch but the root has two leaves or more beneath it, so the form follows from the content.
//
// Below the last digit of the last word a branch is a plain list, in the order in which its leaves came: keys that agree
// in all words. Then both sets are empty.
type branch[K comparable, V any] struct {
	own    *owner
	here   uint32
	below  uint32
	leaves []leaf[K, V]
	kids   []*branch[K, V]
}

// leaf is an entry.
type leaf[K comparable, V any] struct {
	key   K
	value V
}

// among finds a key in a branch that is a list.
func (b *branch[K, V]) among(key K) (v V, ok bool) {
	if i := b.find(key); i >= 0 {
		return b.leaves[i].value, true
	}
	return v, false
}

func (b *branch[K, V]) find(key K) int {
	for i := range b.leaves {
		if b.leaves[i].key == key {
			return i
		}
	}
	return -1
}

// all yields in the order of digits; false if it was stopped.
func (b *branch[K, V]) all(yield func(K, V) bool) bool {
	if b == nil {
		return true
	}
	if b.below == 0 { // leaves alone, perhaps a list
		for i := range b.leaves {
			l := &b.leaves[i]
			if !yield(l.key, l.value) {
				return false
			}
		}
		return true
	}
	i, j := 0, 0
	for rest := b.here | b.below; rest != 0; rest &= rest - 1 {
		if b.here&(1<<bits.TrailingZeros32(rest)) != 0 {
			l := &b.leaves[i]
			i++
			if !yield(l.key, l.value) {
				return false
			}
			continue
		}
		if !b.kids[j].all(yield) {
			return false
		}
		j++
	}
	return true
}

// change is one operation under way. It copies every branch it changes, except those that own has made.
type change[K comparable, V any] struct {
	hash  *Hash[K]
	own   *owner
	grown bool
}

// next is what follows the digits of a key after a step down to a depth: the same word, shifted, or the next word.
func (c *change[K, V]) next(key K, digits uint64, depth int) uint64 {
	if depth%perWord != 0 || c.ends(depth) {
		return digits << digitBits
	}
	return c.hash.more(key, depth/perWord)
}

// ends reports whether a branch at this depth is a list.
func (c *change[K, V]) ends(depth int) bool { return depth == c.hash.words*perWord }

// mine is b for being changed: b itself if own has made it. The lists of a copy are still b's, unless own may change them
// later.
func (c *change[K, V]) mine(b *branch[K, V]) (m *branch[K, V], inPlace bool) {
	if c.own.owns(b.own) {
		return b, true
	}
	m = &branch[K, V]{own: c.own, here: b.here, below: b.below, leaves: b.leaves, kids: b.kids}
	if c.own != nil {
		m.leaves = append(make([]leaf[K, V], 0, len(b.leaves)+1), b.leaves...)
		m.kids = append(make([]*branch[K, V], 0, len(b.kids)+1), b.kids...)
	}
	return m, c.own != nil
}

// put is b, at a depth, with l in it; digits are what is left of l's word there.
func (c *change[K, V]) put(b *branch[K, V], l *leaf[K, V], digits uint64, depth int) *branch[K, V] {
	if b == nil {
		c.grown = true
		return &branch[K, V]{own: c.own, here: digit(digits), leaves: []leaf[K, V]{*l}}
	}
	if c.ends(depth) {
		return c.putInList(b, l)
	}
	bit := digit(digits)
	m, inPlace := c.mine(b)
	i := index(b.here, bit)
	switch {
	case b.below&bit != 0:
		j := index(b.below, bit)
		m.kids = replaced(inPlace, m.kids, j, c.put(b.kids[j], l, c.next(l.key, digits, depth+1), depth+1))
	case b.here&bit == 0:
		c.grown = true
		m.here |= bit
		m.leaves = inserted(inPlace, m.leaves, i, *l)
	case b.leaves[i].key == l.key:
		m.leaves = replaced(inPlace, m.leaves, i, *l)
	default: // two leaves where one was
		old := &b.leaves[i]
		theirs := c.hash.Word(old.key, depth/perWord) << (depth % perWord * digitBits)
		sub := c.pair(old, l, [2]uint64{theirs, digits}, depth)
		c.grown = true
		m.here &^= bit
		m.below |= bit
		m.leaves = removed(inPlace, m.leaves, i)
		m.kids = inserted(inPlace, m.kids, index(m.below, bit), sub)
	}
	return m
}

func (c *change[K, V]) putInList(b *branch[K, V], l *leaf[K, V]) *branch[K, V] {
	m, inPlace := c.mine(b)
	if i := b.find(l.key); i >= 0 {
		m.leaves = replaced(inPlace, m.leaves, i, *l)
		return m
	}
	c.grown = true
	m.leaves = inserted(inPlace, m.leaves, len(m.leaves), *l)
	return m
}

// pair is the branch below a depth at which the digits of two leaves agree.
func (c *change[K, V]) pair(old, l *leaf[K, V], digits [2]uint64, depth int) *branch[K, V] {
	depth++
	if c.ends(depth) {
		return &branch[K, V]{own: c.own, leaves: []leaf[K, V]{*old, *l}}
	}
	digits[0], digits[1] = c.next(old.key, digits[0], depth), c.next(l.key, digits[1], depth)
	x, y := digit(digits[0]), digit(digits[1])
	switch {
	case x == y:
		return &branch[K, V]{own: c.own, below: x, kids: []*branch[K, V]{c.pair(old, l, digits, depth)}}
	case x > y:
		old, l = l, old
	}
	return &branch[K, V]{own: c.own, here: x | y, leaves: []leaf[K, V]{*old, *l}}
}

// drop is b, at a depth, without a key; b unchanged if it is not there.
func (c *change[K, V]) drop(b *branch[K, V], key K, digits uint64, depth int) (out *branch[K, V], found bool) {
	if c.ends(depth) {
		i := b.find(key)
		if i < 0 {
			return b, false
		}
		m, inPlace := c.mine(b)
		m.leaves = removed(inPlace, m.leaves, i)
		return m, true
	}
	bit := digit(digits)
	if b.below&bit != 0 {
		return c.dropBelow(b, key, digits, depth)
	}
	i := index(b.here, bit)
	if b.here&bit == 0 || b.leaves[i].key != key {
		return b, false
	}
	m, inPlace := c.mine(b)
	m.here &^= bit
	m.leaves = removed(inPlace, m.leaves, i)
	return m, true
}

// dropBelow is drop in the branch below. If that is left with one leaf, the leaf moves up.
func (c *change[K, V]) dropBelow(b *branch[K, V], key K, digits uint64, depth int) (out *branch[K, V], found bool) {
	bit := digit(digits)
	j := index(b.below, bit)
	sub, found := c.drop(b.kids[j], key, c.next(key, digits, depth+1), depth+1)
	if !found {
		return b, false
	}
	m, inPlace := c.mine(b)
	if len(sub.kids) == 0 && len(sub.leaves) == 1 {
		m.below &^= bit
		m.here |= bit
		m.kids = removed(inPlace, m.kids, j)
		m.leaves = inserted(inPlace, m.leaves, index(m.here, bit), sub.leaves[0])
		return m, true
	}
	m.kids = replaced(inPlace, m.kids, j, sub)
	return m, true
}
