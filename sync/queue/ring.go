package queue

import "github.com/synodkit/synod/stm"

// ring is a shelf for FIFO queues. Puts move tail, Takes move head; each side keeps what it last saw of the other's
// counter and looks again only when that says full or empty, so that the two sides seldom conflict.
type ring[T any] struct {
	slots []*stm.Var[T]
	head  *stm.Var[uint64] // values taken; written by Takes
	seen  *stm.Var[uint64] // tail, as Takes last saw it
	tail  *stm.Var[uint64] // values put; written by Puts
	bound *stm.Var[uint64] // head plus capacity, as Puts last saw it
}

func newRing[T any](capacity int) *ring[T] {
	return &ring[T]{
		slots: slots[T](capacity),
		head:  stm.NewVar[uint64](0).Label("queue.head"),
		seen:  stm.NewVar[uint64](0),
		tail:  stm.NewVar[uint64](0).Label("queue.tail"),
		bound: stm.NewVar(uint64(capacity)),
	}
}

func slots[T any](n int) []*stm.Var[T] {
	vs := make([]*stm.Var[T], n)
	var none T
	for i := range vs {
		vs[i] = stm.NewVar(none)
	}
	return vs
}

func (r *ring[T]) room(tx *stm.Tx, reserved int) bool {
	needs := r.tail.Get(tx) + uint64(reserved) + 1
	if needs <= r.bound.Get(tx) {
		return true
	}
	bound := r.head.Get(tx) + uint64(len(r.slots))
	if needs > bound {
		return false
	}
	r.bound.Set(tx, bound)
	return true
}

func (r *ring[T]) add(tx *stm.Tx, v T) {
	tail := r.tail.Get(tx)
	r.slot(tail).Set(tx, v)
	r.tail.Set(tx, tail+1)
}

func (r *ring[T]) next(tx *stm.Tx) (v T, ok bool) {
	head := r.head.Get(tx)
	if head == r.seen.Get(tx) {
		tail := r.tail.Get(tx)
		if head == tail {
			return v, false
		}
		r.seen.Set(tx, tail)
	}
	slot := r.slot(head)
	v = slot.Get(tx)
	var none T
	slot.Set(tx, none) // a taken value is not kept alive
	r.head.Set(tx, head+1)
	return v, true
}

func (r *ring[T]) evict(tx *stm.Tx, v T) T {
	old, ok := r.next(tx)
	if !ok { // all places are reserved
		return v
	}
	r.add(tx, v)
	return old
}

func (r *ring[T]) size(tx *stm.Tx) int { return int(r.tail.Get(tx) - r.head.Get(tx)) }

// slot is the place of the value number n.
func (r *ring[T]) slot(n uint64) *stm.Var[T] { return r.slots[n%uint64(len(r.slots))] }

func (r *ring[T]) label(name string) {
	r.head.Label(name + ".head")
	r.tail.Label(name + ".tail")
}
