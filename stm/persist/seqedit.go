package persist

// SeqEdit is a Seq under change, of one goroutine. Its value so far is had at any time, and is not changed by what the
// edit does later. Its methods do what those of Seq do.
type SeqEdit[V any] struct {
	seq Seq[V]
	own *owner // nil: has made nothing that is not shown
}

// Lo is the first number.
func (e *SeqEdit[V]) Lo() uint64 { return e.seq.lo }

// Hi is the number after the last.
func (e *SeqEdit[V]) Hi() uint64 { return e.seq.hi }

// Len is the number of values.
func (e *SeqEdit[V]) Len() int { return e.seq.n }

// Get is the value of a number, and whether there is one.
func (e *SeqEdit[V]) Get(n uint64) (V, bool) { return e.seq.Get(n) }

// Append puts a value at number Hi.
func (e *SeqEdit[V]) Append(v V) { e.seq.append(e.begin(), v) }

// Set puts a value at number n. It panics if n is below Lo.
func (e *SeqEdit[V]) Set(n uint64, v V) { e.seq.set(e.begin(), n, v) }

// Delete makes a hole of number n.
func (e *SeqEdit[V]) Delete(n uint64) { e.seq.delete(e.begin(), n) }

// Drop forgets what is below n.
func (e *SeqEdit[V]) Drop(n uint64) { e.seq.drop(e.begin(), n) }

// Cut forgets n and what is above it.
func (e *SeqEdit[V]) Cut(n uint64) { e.seq.cut(e.begin(), n) }

// Seq is the value so far.
func (e *SeqEdit[V]) Seq() Seq[V] {
	e.own = nil
	return e.seq
}

func (e *SeqEdit[V]) begin() *owner {
	if e.own == nil {
		e.own = new(owner)
	}
	return e.own
}
