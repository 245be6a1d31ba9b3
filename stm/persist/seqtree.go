package persist

// inTree is how many places the tree covers; those after it, fewer than width, are the tail's.
func (s *Seq[V]) inTree() uint64 { return (s.hi - s.base) &^ (width - 1) }

// inTail is how many slots of the tail are taken.
func (s *Seq[V]) inTail() uint32 { return uint32((s.hi - s.base) % width) }

// chunk is the chunk of a place below Hi; nil if all are holes.
func (s *Seq[V]) chunk(place uint64) *chunk[V] {
	if place >= s.inTree() {
		return s.tail
	}
	l := s.root
	if l == nil {
		return nil
	}
	for shift := s.shift; shift > digitBits; shift -= digitBits {
		if l = l.kids[digitAt(place, shift)]; l == nil {
			return nil
		}
	}
	return l.chunks[digitAt(place, digitBits)]
}

// store puts a chunk into the tree.
func (s *Seq[V]) store(own *owner, place uint64, c *chunk[V], delta int) {
	s.raise(own)
	s.root = s.root.put(own, s.shift, place, c, delta)
}

// raise makes the tree high enough for all its places.
func (s *Seq[V]) raise(own *owner) {
	last := s.inTree() - 1
	if s.root == nil {
		for s.shift = digitBits; last>>s.shift >= width; {
			s.shift += digitBits
		}
		return
	}
	for last>>s.shift >= width {
		up := (*limb[V])(nil).mine(own, s.shift+digitBits)
		up.kids[0], up.n = s.root, s.root.n
		s.root, s.shift = up, s.shift+digitBits
	}
}

func (s *Seq[V]) append(own *owner, v V) {
	i := s.inTail()
	s.tail = s.tail.append(own, i, v)
	s.hi++
	s.n++
	if i == width-1 {
		s.flush(own)
	}
}

// flush moves the tail, which is full, into the tree.
func (s *Seq[V]) flush(own *owner) {
	if s.hi > numbersEnd {
		panic("persist: a number above 2^63")
	}
	s.store(own, s.hi-1-s.base, s.tail, s.tail.count(width))
	s.tail = nil
}

// extend makes holes of the numbers from Hi to n-1.
func (s *Seq[V]) extend(own *owner, n uint64) {
	if n > numbersEnd-1 {
		panic("persist: a number above 2^63")
	}
	if n-s.base < s.inTree()+width {
		s.tail = s.tail.extended(own, s.inTail(), uint32((n-s.base)%width))
		s.hi = n
		return
	}
	if s.tail != nil {
		s.tail = s.tail.extended(own, s.inTail(), width)
		s.hi = s.base + s.inTree() + width
		s.flush(own)
	}
	s.hi = n
	s.raise(own)
}

func (s *Seq[V]) set(own *owner, n uint64, v V) {
	if n < s.lo {
		panic("persist: Seq.Set below Lo")
	}
	if n >= s.hi {
		if n > s.hi {
			s.extend(own, n)
		}
		s.append(own, v)
		return
	}
	place := n - s.base
	c, i := s.chunk(place), uint32(place%width)
	delta := 1
	if c.has(i) {
		delta = 0
	}
	s.n += delta
	if place >= s.inTree() {
		s.tail = c.with(own, s.inTail(), i, v)
		return
	}
	s.store(own, place, c.with(own, width, i, v), delta)
}

func (s *Seq[V]) delete(own *owner, n uint64) {
	if n < s.lo || n >= s.hi {
		return
	}
	place := n - s.base
	c, i := s.chunk(place), uint32(place%width)
	if !c.has(i) {
		return
	}
	s.n--
	if place >= s.inTree() {
		s.tail = c.without(own, s.inTail(), i)
		return
	}
	s.store(own, place, c.without(own, width, i), -1)
}

func (s *Seq[V]) drop(own *owner, n uint64) {
	if n <= s.lo {
		return
	}
	if n >= s.hi {
		*s = NewSeq[V](n)
		return
	}
	from, to := s.lo-s.base, n-s.base
	kept := s.chunk(to).count(uint32(to % width)) // of the chunk that stays, what goes
	gone := kept - s.chunk(from).count(uint32(from%width))
	s.lo = n
	if from/width < to/width { // chunks go
		was := s.root.size()
		if to >= s.inTree() {
			s.root = nil
		} else {
			s.root = s.root.from(own, s.shift, to)
		}
		gone += was - s.root.size()
		s.lower(own)
	}
	s.n -= gone
}

func (s *Seq[V]) cut(own *owner, n uint64) {
	if n >= s.hi {
		return
	}
	if n <= s.lo {
		*s = NewSeq[V](n)
		return
	}
	place := n - s.base
	last, i := s.chunk(place), uint32(place%width)
	gone := s.tail.count(s.inTail()) - last.count(i)
	if place < s.inTree() {
		was := s.root.size()
		s.root = s.root.before(own, s.shift, place)
		gone += was - s.root.size()
	}
	s.n -= gone
	s.hi, s.tail = n, last
	if last.count(i) == 0 {
		s.tail = nil
	}
	s.lower(own)
}

// lower makes the tree as low as what is in use allows, so that its height follows from Hi-Lo and not from their history.
func (s *Seq[V]) lower(own *owner) {
	for s.root != nil {
		low, high := (s.lo-s.base)>>s.shift, (s.inTree()-1)>>s.shift
		if low < high || s.shift == digitBits {
			if low > 0 {
				s.root = s.root.moved(own, s.shift, low)
				s.base += low << s.shift
			}
			return
		}
		s.root = s.root.kids[low]
		s.base += low << s.shift
		s.shift -= digitBits
	}
	s.base = s.lo - (s.lo-s.base)%width
}
