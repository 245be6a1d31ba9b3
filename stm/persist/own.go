package persist

// owner is the right of one edit to change what it has made. A node without an owner, or of another, is copied. (It has
// a size, so that two have two addresses.)
type owner struct{ _ byte }

// owns reports whether a node that has the mark of an owner may be changed in place.
func (o *owner) owns(mark *owner) bool { return o != nil && o == mark }

// replaced is s with x at i; s itself if it may be changed.
func replaced[T any](inPlace bool, s []T, i int, x T) []T {
	if !inPlace {
		c := make([]T, len(s))
		copy(c, s)
		s = c
	}
	s[i] = x
	return s
}

// inserted is s with x before i.
func inserted[T any](inPlace bool, s []T, i int, x T) []T {
	if inPlace && len(s) < cap(s) {
		s = s[:len(s)+1]
		copy(s[i+1:], s[i:])
		s[i] = x
		return s
	}
	room := len(s) + 1
	if inPlace {
		room += len(s)/4 + 1 // more will come
	}
	c := make([]T, len(s)+1, room)
	copy(c, s[:i])
	c[i] = x
	copy(c[i+1:], s[i:])
	return c
}

// removed is s without what stands at i.
func removed[T any](inPlace bool, s []T, i int) []T {
	if inPlace {
		copy(s[i:], s[i+1:])
		clear(s[len(s)-1:])
		return s[:len(s)-1]
	}
	c := make([]T, len(s)-1)
	copy(c, s[:i])
	copy(c[i:], s[i+1:])
	return c
}
