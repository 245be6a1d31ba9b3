package queue

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Queue holds values until they are taken. It is a prop.Sink and a prop.Source.
type Queue[T any] struct {
	held   shelf[T]
	look   browsed[T] // the same
	full   prop.Full
	order  prop.Order
	limit  int
	status *stm.Var[status]
}

// status is what every Put has to look at. It is one word.
type status struct {
	reserved int32 // places taken for values that are still to come
	closed   int32
}

// shelf is how values are kept. It knows its capacity, and nothing of reservations but their number.
type shelf[T any] interface {
	room(tx *stm.Tx, reserved int) bool // for one more value besides those reserved
	add(tx *stm.Tx, v T)                // there is room
	next(tx *stm.Tx) (T, bool)          // takes the value whose turn it is
	evict(tx *stm.Tx, v T) T            // adds v in the place of another value, and gives that one; or gives v itself
	size(tx *stm.Tx) int
}

// browsed is what a shelf offers besides, to who looks at it.
type browsed[T any] interface {
	walk(tx *stm.Tx, f func(v T) pick) // shows f the values in the order of their turns, and removes those it picks
	label(name string)
}

// whole is a shelf with all it offers.
type whole[T any] interface {
	shelf[T]
	browsed[T]
}

// FIFO makes a queue whose oldest value is taken first.
func FIFO[T any](capacity int, full Full[T]) *Queue[T] {
	var s whole[T]
	if full.index == nil {
		s = newRing[T](checked(capacity))
	} else {
		s = newSorted(checked(capacity), full, byAge[T])
	}
	return newQueue(s, prop.FIFO, capacity, full)
}

// LIFO makes a queue whose newest value is taken first: for work that is worth less the longer it has waited.
func LIFO[T any](capacity int, full Full[T]) *Queue[T] {
	var s whole[T]
	if full.index == nil {
		s = newStack[T](checked(capacity))
	} else {
		s = newSorted(checked(capacity), full, func(a, b *entry[T]) int { return byAge(b, a) })
	}
	return newQueue(s, prop.LIFO, capacity, full)
}

// Priority makes a queue from which the smallest value is taken first by compare, which is negative if a goes before b,
// as for slices.SortFunc. Equal values are taken in the order in which they were put. compare must not change its mind
// and must not use transactions.
func Priority[T any](capacity int, compare func(a, b T) int, full Full[T]) *Queue[T] {
	if full.kind == prop.DropsOldest {
		full.index = oldest[T]
	}
	s := newSorted(checked(capacity), full, func(a, b *entry[T]) int {
		if c := compare(a.value, b.value); c != 0 {
			return c
		}
		return byAge(a, b)
	})
	return newQueue(s, prop.ByValue, capacity, full)
}

func checked(capacity int) int {
	if capacity < 1 {
		panic("queue: a capacity below 1; for handing over without a queue see event.Chan")
	}
	return capacity
}

func newQueue[T any](s whole[T], order prop.Order, capacity int, full Full[T]) *Queue[T] {
	if full.kind == "" {
		full.kind = prop.Waits
	}
	return &Queue[T]{s, s, full.kind, order, capacity, stm.NewVar(status{}).Label("queue.status")}
}

// Label names the queue's Vars for dumps and traces, and returns the queue.
func (q *Queue[T]) Label(name string) *Queue[T] {
	q.look.label(name)
	q.status.Label(name + ".status")
	return q
}

// Props is the queue's contract.
func (q *Queue[T]) Props() prop.Props {
	return prop.Props{Order: q.order, Capacity: q.limit, Full: q.full}
}

// Put adds v. If there is no room, what happens is the queue's policy; a value that is dropped is returned.
func (q *Queue[T]) Put(tx *stm.Tx, v T) (lost prop.Lost[T], err error) {
	s := q.status.Get(tx)
	switch {
	case s.closed != 0:
		return lost, prop.ErrClosed
	case q.held.room(tx, int(s.reserved)):
		q.held.add(tx, v)
		return lost, nil
	}
	switch q.full {
	case prop.Waits:
		return stm.Select[prop.Lost[T]](tx) // no alternative: retries, without a panic
	case prop.Rejects:
		return lost, prop.ErrFull
	case prop.DropsNewest:
		return prop.Lost[T]{Value: v, Any: true}, nil
	}
	return prop.Lost[T]{Value: q.held.evict(tx, v), Any: true}, nil
}

// Take removes the value whose turn it is.
func (q *Queue[T]) Take(tx *stm.Tx) (T, error) {
	if v, ok := q.held.next(tx); ok {
		return v, nil
	}
	if s := q.status.Get(tx); s.closed != 0 && s.reserved == 0 {
		var none T
		return none, prop.ErrClosed
	}
	return stm.Select[T](tx)
}

// Len is how many values are held. Places that are reserved do not count.
func (q *Queue[T]) Len(tx *stm.Tx) int { return q.held.size(tx) }

// Close lets no more values in, but for those that have a place reserved. Those that are held can still be taken.
func (q *Queue[T]) Close(tx *stm.Tx) {
	s := q.status.Get(tx)
	s.closed = 1
	q.status.Set(tx, s)
}
