package persist

import "iter"

// Seq is a persistent sequence: values by consecutive numbers from Lo to Hi-1, some of which may have none (holes). The
// zero Seq is empty and begins at 0. Holes cost nothing where whole chunks of 32 numbers have no value.
//
// Every operation takes the logarithm, to base 32, of Hi-Lo; Append nearly always less.
type Seq[V any] struct {
	lo, hi uint64
	base   uint64 // the number of the tree's place 0; at most lo
	n      int
	root   *limb[V] // of the chunks before the last; nil if they have no values
	shift  uint     // a kid of root has 1<<shift places
	tail   *chunk[V]
}

// numbersEnd is above every number.
const numbersEnd = 1 << 63

// NewSeq is an empty Seq whose first number will be lo.
func NewSeq[V any](lo uint64) Seq[V] {
	if lo > numbersEnd {
		panic("persist: a number above 2^63")
	}
	return Seq[V]{lo: lo, hi: lo, base: lo}
}

// Lo is the first number; below it nothing is known any more.
func (s Seq[V]) Lo() uint64 { return s.lo }

// Hi is the number after the last, which Append will take.
func (s Seq[V]) Hi() uint64 { return s.hi }

// Len is the number of values. Holes do not count.
func (s Seq[V]) Len() int { return s.n }

// Get is the value of a number, and whether there is one.
func (s Seq[V]) Get(n uint64) (v V, ok bool) {
	if n < s.lo || n >= s.hi {
		return v, false
	}
	place := n - s.base
	c, i := s.chunk(place), uint32(place%width)
	if !c.has(i) {
		return v, false
	}
	return c.vals[i], true
}

// Append is s with a value at number Hi.
func (s Seq[V]) Append(v V) Seq[V] {
	s.append(nil, v)
	return s
}

// Set is s with a value at number n. Numbers between Hi and n become holes. It panics if n is below Lo.
func (s Seq[V]) Set(n uint64, v V) Seq[V] {
	s.set(nil, n, v)
	return s
}

// Delete is s with a hole at number n; s itself if there is no value. Lo and Hi stay.
func (s Seq[V]) Delete(n uint64) Seq[V] {
	s.delete(nil, n)
	return s
}

// Drop is s without what is below n, which becomes Lo; s itself if n is not above Lo. If n is above Hi, that becomes n too.
func (s Seq[V]) Drop(n uint64) Seq[V] {
	s.drop(nil, n)
	return s
}

// Cut is s without n and what is above it: n becomes Hi; s itself if n is not below Hi. If n is below Lo, that becomes n too.
func (s Seq[V]) Cut(n uint64) Seq[V] {
	s.cut(nil, n)
	return s
}

// All yields every number that has a value, and the value, ascending.
func (s Seq[V]) All() iter.Seq2[uint64, V] { return s.From(s.lo) }

// From is All from number n on.
func (s Seq[V]) From(n uint64) iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		if n = max(n, s.lo); n >= s.hi {
			return
		}
		w := span{n - s.base, s.hi - s.base}
		each := func(c *chunk[V], at uint64) bool {
			for p := max(at, w.from); p < min(at+width, w.to); p++ {
				if i := uint32(p - at); c.has(i) && !yield(s.base+p, c.vals[i]) {
					return false
				}
			}
			return true
		}
		if s.root.each(s.shift, 0, w, false, each) && s.tail != nil {
			each(s.tail, s.inTree())
		}
	}
}

// Backward is All, descending.
func (s Seq[V]) Backward() iter.Seq2[uint64, V] {
	return func(yield func(uint64, V) bool) {
		w := span{s.lo - s.base, s.hi - s.base}
		each := func(c *chunk[V], at uint64) bool {
			for p := min(at+width, w.to); p > max(at, w.from); p-- {
				if i := uint32(p - 1 - at); c.has(i) && !yield(s.base+p-1, c.vals[i]) {
					return false
				}
			}
			return true
		}
		if s.tail == nil || each(s.tail, s.inTree()) {
			s.root.each(s.shift, 0, w, true, each)
		}
	}
}

// Edit starts a batch of changes from s.
func (s Seq[V]) Edit() *SeqEdit[V] { return &SeqEdit[V]{seq: s} }
