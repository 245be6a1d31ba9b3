package persist

import (
	"math/bits"
	"sync/atomic"
)

// width is how many values a chunk of a Seq has, and how many kids a limb.
const width = 1 << digitBits

// chunk holds the values of width consecutive numbers.
//
// The last chunk of a Seq is shared with the versions to come: the first of them that appends takes the next slot of the
// very chunk, which no version sees as yet; others find it taken and copy. So slots are written once, before any version
// that has them is shown, and nobody looks at slots beyond his version's end.
type chunk[V any] struct {
	own   *owner
	used  atomic.Uint32 // slots taken, from the first on
	holes uint32        // of the taken ones, those without a value when the chunk was made, or changed by own
	vals  [width]V
}

// first is the set of the first n slots.
func first(n uint32) uint32 { return ^uint32(0) >> (width - n) }

// has reports whether there is a value in slot i, which is taken. A nil chunk has none.
func (c *chunk[V]) has(i uint32) bool { return c != nil && c.holes>>i&1 == 0 }

// count is the number of values in the first n slots.
func (c *chunk[V]) count(n uint32) int {
	if c == nil {
		return 0
	}
	return bits.OnesCount32(first(n) &^ c.holes)
}

// mine is a chunk with c's first n slots for own to change: c itself if own has made it.
func (c *chunk[V]) mine(own *owner, n uint32) *chunk[V] {
	if c != nil && own.owns(c.own) {
		return c
	}
	m := &chunk[V]{own: own}
	m.used.Store(n)
	if c == nil {
		m.holes = first(n)
		return m
	}
	m.holes = c.holes & first(n)
	copy(m.vals[:n], c.vals[:n])
	return m
}

// with is a chunk of n slots with v in slot i.
func (c *chunk[V]) with(own *owner, n, i uint32, v V) *chunk[V] {
	m := c.mine(own, n)
	m.vals[i] = v
	m.holes &^= 1 << i
	return m
}

// without is a chunk of n slots with a hole in slot i; nil if nothing is left.
func (c *chunk[V]) without(own *owner, n, i uint32) *chunk[V] {
	if (c.holes|1<<i)&first(n) == first(n) {
		return nil
	}
	m := c.mine(own, n)
	var none V
	m.vals[i] = none
	m.holes |= 1 << i
	return m
}

// append is c, of n taken slots, with v in the next.
func (c *chunk[V]) append(own *owner, n uint32, v V) *chunk[V] {
	if c == nil || !c.used.CompareAndSwap(n, n+1) {
		c = c.fresh(own, n)
		c.used.Store(n + 1)
	}
	c.vals[n] = v
	return c
}

// fresh is a copy of c's first n slots, never c itself.
func (c *chunk[V]) fresh(own *owner, n uint32) *chunk[V] {
	m := c.mine(nil, n)
	m.own = own
	return m
}

// extended is c, of n taken slots, with holes up to the n2-th.
func (c *chunk[V]) extended(own *owner, n, n2 uint32) *chunk[V] {
	if c == nil || n == n2 {
		return c
	}
	m := c.fresh(own, n)
	m.used.Store(n2)
	m.holes |= first(n2) &^ first(n)
	return m
}
