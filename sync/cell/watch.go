package cell

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Watch is the newest of a series of values. It is a prop.Sink.
type Watch[T any] struct {
	newest *stm.Var[*version[T]]
	closed *stm.Var[bool]
}

type version[T any] struct {
	value T
	nth   uint64
}

// NewWatch makes a Watch with a first value, the version 1.
func NewWatch[T any](first T) *Watch[T] {
	return &Watch[T]{stm.NewVar(&version[T]{first, 1}).Label("watch"), stm.NewVar(false).Label("watch.closed")}
}

// Props is the Watch's contract.
func (w *Watch[T]) Props() prop.Props {
	return prop.Props{Order: prop.Latest, Capacity: 1, Full: prop.Supersedes, Broadcast: true}
}

// Put makes v the newest value, even if it equals the one before. It never waits.
func (w *Watch[T]) Put(tx *stm.Tx, v T) (lost prop.Lost[T], err error) {
	if w.closed.Get(tx) {
		return lost, prop.ErrClosed
	}
	w.newest.Set(tx, &version[T]{v, w.newest.Get(tx).nth + 1})
	return lost, nil
}

// Close makes the newest value the last.
func (w *Watch[T]) Close(tx *stm.Tx) { w.closed.Set(tx, true) }

// Newest is the newest value and its version. It never waits, also after Close.
func (w *Watch[T]) Newest(tx *stm.Tx) (v T, version uint64) {
	n := w.newest.Get(tx)
	return n.value, n.nth
}

// Reader sees the newest value first, and then each newest one that it has not seen.
func (w *Watch[T]) Reader() *Reader[T] { return &Reader[T]{w, stm.NewVar[uint64](0)} }

// Reader is one who watches. It is a prop.Source.
type Reader[T any] struct {
	watch *Watch[T]
	seen  *stm.Var[uint64] // the version that was taken last
}

// Props is the contract of what is watched.
func (r *Reader[T]) Props() prop.Props { return r.watch.Props() }

// Take is the newest value, and waits until it is one that has not been taken. It fails with prop.ErrClosed once the
// last value has been taken.
func (r *Reader[T]) Take(tx *stm.Tx) (none T, err error) {
	switch n := r.watch.newest.Get(tx); {
	case n.nth != r.seen.Get(tx):
		r.seen.Set(tx, n.nth)
		return n.value, nil
	case r.watch.closed.Get(tx):
		return none, prop.ErrClosed
	}
	return stm.Select[T](tx) // no alternative: retries, without a panic
}

// Skip counts what is there as seen: Take waits for the next value.
func (r *Reader[T]) Skip(tx *stm.Tx) { r.seen.Set(tx, r.watch.newest.Get(tx).nth) }
