package persist

// limb is an inner node of a Seq's tree. All limbs of one level have the same kind of kids: limbs, or chunks at the
// lowest. A nil kid is nothing but holes; a limb has at least one that is not.
type limb[V any] struct {
	own    *owner
	n      int // values beneath, those of a boundary chunk that lie outside of the Seq among them
	kids   *[width]*limb[V]
	chunks *[width]*chunk[V]
}

// digitAt is the digit of a place at the level whose kids have 1<<shift places each.
func digitAt(place uint64, shift uint) uint64 { return place >> shift % width }

// mine is l, at a level, for own to change: l itself if own has made it. A nil l is an empty one.
func (l *limb[V]) mine(own *owner, shift uint) *limb[V] {
	if l != nil && own.owns(l.own) {
		return l
	}
	var m *limb[V]
	if shift == digitBits {
		x := &struct { // one allocation
			limb[V]
			chunks [width]*chunk[V]
		}{}
		m, x.limb.chunks = &x.limb, &x.chunks
		if l != nil {
			x.chunks = *l.chunks
		}
	} else {
		x := &struct {
			limb[V]
			kids [width]*limb[V]
		}{}
		m, x.limb.kids = &x.limb, &x.kids
		if l != nil {
			x.kids = *l.kids
		}
	}
	if m.own = own; l != nil {
		m.n = l.n
	}
	return m
}

// put is l with a chunk at a place, which changes the number of values by delta.
func (l *limb[V]) put(own *owner, shift uint, place uint64, c *chunk[V], delta int) *limb[V] {
	m := l.mine(own, shift)
	d := digitAt(place, shift)
	if shift == digitBits {
		m.chunks[d] = c
	} else {
		m.kids[d] = m.kids[d].put(own, shift-digitBits, place, c, delta)
	}
	m.n += delta
	return m.orNil()
}

// orNil is m, or nil if it has no values. It has none exactly when it has no kids, since a chunk has at least one.
func (l *limb[V]) orNil() *limb[V] {
	if l.n == 0 {
		return nil
	}
	return l
}

// size is the number of values beneath; those of a nil limb are none.
func (l *limb[V]) size() int {
	if l == nil {
		return 0
	}
	return l.n
}

// from is l without the chunks that lie wholly before a place.
func (l *limb[V]) from(own *owner, shift uint, place uint64) *limb[V] {
	if l == nil {
		return nil
	}
	m := l.mine(own, shift)
	d := digitAt(place, shift)
	m.clear(shift, 0, d)
	if shift > digitBits {
		was := m.kids[d].size()
		m.kids[d] = m.kids[d].from(own, shift-digitBits, place)
		m.n += m.kids[d].size() - was
	}
	return m.orNil()
}

// before is l without the chunk of a place and those after it.
func (l *limb[V]) before(own *owner, shift uint, place uint64) *limb[V] {
	if l == nil {
		return nil
	}
	m := l.mine(own, shift)
	d := digitAt(place, shift)
	if shift > digitBits {
		was := m.kids[d].size()
		m.kids[d] = m.kids[d].before(own, shift-digitBits, place)
		m.n += m.kids[d].size() - was
		d++
	}
	m.clear(shift, d, width)
	return m.orNil()
}

// clear removes the kids from one digit up to another.
func (l *limb[V]) clear(shift uint, from, to uint64) {
	for d := from; d < to; d++ {
		if shift == digitBits {
			l.n -= l.chunks[d].count(width)
			l.chunks[d] = nil
		} else {
			l.n -= l.kids[d].size()
			l.kids[d] = nil
		}
	}
}

// moved is l with its kids moved down by some digits; the first of them must be nil.
func (l *limb[V]) moved(own *owner, shift uint, by uint64) *limb[V] {
	m := l.mine(own, shift)
	if shift == digitBits {
		copy(m.chunks[:], m.chunks[by:])
		clear(m.chunks[width-by:])
	} else {
		copy(m.kids[:], m.kids[by:])
		clear(m.kids[width-by:])
	}
	return m
}

// span is a run of places, for walking.
type span struct{ from, to uint64 }

// each yields the chunks beneath that meet the span, ascending or descending, with their first places; false if stopped.
func (l *limb[V]) each(shift uint, start uint64, s span, down bool, yield func(*chunk[V], uint64) bool) bool {
	if l == nil {
		return true
	}
	for k := range uint64(width) {
		d := k
		if down {
			d = width - 1 - k
		}
		at := start + d<<shift
		if at+1<<shift <= s.from || at >= s.to {
			continue
		}
		if shift > digitBits {
			if !l.kids[d].each(shift-digitBits, at, s, down, yield) {
				return false
			}
		} else if c := l.chunks[d]; c != nil && !yield(c, at) {
			return false
		}
	}
	return true
}
