package persist

import (
	"fmt"
	"math/bits"
)

// Check verifies the form of a Trie: every invariant that a comment states.
func (t Trie[K, V]) Check() error {
	if t.root == nil {
		if t.n != 0 {
			return fmt.Errorf("no root, Len %d", t.n)
		}
		return nil
	}
	n, err := t.check(t.root, 0, nil)
	if err == nil && (n != t.n || n == 0) {
		err = fmt.Errorf("%d leaves, Len %d", n, t.n)
	}
	return err
}

// check counts the leaves beneath b, whose place is the digits on the way to it.
func (t Trie[K, V]) check(b *branch[K, V], depth int, way []uint32) (n int, err error) {
	list := depth == t.hash.words*perWord
	switch {
	case list && (b.here != 0 || b.below != 0 || len(b.kids) != 0):
		return 0, fmt.Errorf("a list with digits")
	case !list && (bits.OnesCount32(b.here) != len(b.leaves) || bits.OnesCount32(b.below) != len(b.kids) || b.here&b.below != 0):
		return 0, fmt.Errorf("sets %b and %b for %d leaves and %d kids", b.here, b.below, len(b.leaves), len(b.kids))
	}
	for i := range b.leaves {
		if err := t.checkLeaf(b, &b.leaves[i], depth, way); err != nil {
			return 0, err
		}
	}
	n = len(b.leaves)
	rest := b.below
	for _, k := range b.kids {
		m, err := t.check(k, depth+1, append(way[:len(way):len(way)], rest&-rest))
		if err != nil {
			return 0, err
		}
		rest &= rest - 1
		n += m
	}
	if depth > 0 && n < 2 {
		return 0, fmt.Errorf("a branch of %d at depth %d", n, depth)
	}
	return n, nil
}

func (t Trie[K, V]) checkLeaf(b *branch[K, V], l *leaf[K, V], depth int, way []uint32) error {
	for d := 0; d <= depth && d < t.hash.words*perWord; d++ {
		bit := digit(t.hash.Word(l.key, d/perWord) << (d % perWord * digitBits))
		if d < depth && bit != way[d] || d == depth && b.here&bit == 0 {
			return fmt.Errorf("%v stands at the wrong place", l.key)
		}
	}
	return nil
}

// Colliding is an empty Trie for strings that all have one HashString.
func Colliding[V any]() Trie[string, V] {
	h := *ReadyHash[string]()
	h.first = func(string) uint64 { return 1 << 63 }
	return Trie[string, V]{hash: &h}
}

// Depth is the number of branches on the longest way.
func (t Trie[K, V]) Depth() int { return t.root.depth() }

func (b *branch[K, V]) depth() int {
	if b == nil {
		return 0
	}
	d := 0
	for _, k := range b.kids {
		d = max(d, k.depth())
	}
	return d + 1
}

// TrieShowing is a planted fault: the value so far, without giving up the right to what the edit has made.
func (e *TrieEdit[K, V]) TrieShowing() Trie[K, V] { return e.trie }

// Check verifies the form of a Seq.
func (s Seq[V]) Check() error {
	if s.base > s.lo || s.lo > s.hi {
		return fmt.Errorf("base %d, lo %d, hi %d", s.base, s.lo, s.hi)
	}
	if s.tail != nil && (s.inTail() == 0 || s.tail.count(s.inTail()) == 0) {
		return fmt.Errorf("a tail of nothing")
	}
	if s.tail != nil && s.tail.used.Load() < s.inTail() {
		return fmt.Errorf("%d slots of the tail are taken, %d in use", s.tail.used.Load(), s.inTail())
	}
	n := s.tail.count(s.inTail())
	if s.root != nil {
		if s.inTree() == 0 || (s.inTree()-1)>>s.shift >= width {
			return fmt.Errorf("a tree of shift %d for %d places", s.shift, s.inTree())
		}
		m, err := s.root.check(s.shift, 0, s.lo-s.base, s.inTree())
		if err != nil {
			return err
		}
		n += m
	}
	if n -= s.chunk(s.lo - s.base).count(uint32((s.lo - s.base) % width)); n != s.n {
		return fmt.Errorf("%d values, Len %d", n, s.n)
	}
	return nil
}

func (l *limb[V]) check(shift uint, at, lo, end uint64) (n int, err error) {
	if (shift == digitBits) != (l.chunks != nil) || (l.kids == nil) != (l.chunks != nil) {
		return 0, fmt.Errorf("a limb at level %d with the wrong kids", shift)
	}
	for d := range uint64(width) {
		m, from := 0, at+d<<shift
		if shift > digitBits && l.kids[d] != nil {
			if m, err = l.kids[d].check(shift-digitBits, from, lo, end); err != nil {
				return 0, err
			}
		} else if shift == digitBits && l.chunks[d] != nil {
			if m = l.chunks[d].count(width); m == 0 || l.chunks[d].used.Load() != width {
				return 0, fmt.Errorf("a chunk of %d in the tree", m)
			}
		}
		if m > 0 && (from >= end || from+1<<shift <= lo) {
			return 0, fmt.Errorf("values outside of the sequence are kept")
		}
		n += m
	}
	if n != l.n || n == 0 {
		return 0, fmt.Errorf("a limb of %d counts %d", n, l.n)
	}
	return n, nil
}

// Height is the number of levels above the values.
func (s Seq[V]) Height() int {
	if s.root == nil {
		return 1
	}
	return int(s.shift/digitBits) + 1
}

// SeqShowing is a planted fault: the value so far, without giving up the right to what the edit has made.
func (e *SeqEdit[V]) SeqShowing() Seq[V] { return e.seq }

// Untaken is a planted fault: the next slot of s can be taken although another version may have it.
func (s Seq[V]) Untaken() Seq[V] {
	if s.tail != nil {
		s.tail.used.Store(s.inTail())
	}
	return s
}
