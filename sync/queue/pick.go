package queue

import (
	"iter"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// pick is what becomes of a value that a walk along a shelf shows.
type pick struct{ remove, stop bool }

// All are the values that are held, in the order of their turns. They stay. A transaction that goes through all conflicts with
// every Put and Take.
func (q *Queue[T]) All(tx *stm.Tx) iter.Seq[T] {
	return func(yield func(T) bool) {
		q.look.walk(tx, func(v T) pick { return pick{stop: !yield(v)} })
	}
}

// TakeFirst is Take of the first value that match accepts. It passes over the others, which keep their places, and waits
// until there is one. match may read in the transaction; what it has read wakes it too. So it waits on a closed queue too
// while values are held that match refuses: whoever closes the queue takes those out by Remove.
func (q *Queue[T]) TakeFirst(tx *stm.Tx, match func(v T) bool) (taken T, err error) {
	found := false
	q.look.walk(tx, func(v T) pick {
		if found = match(v); found {
			taken = v
		}
		return pick{remove: found, stop: found}
	})
	if found {
		return taken, nil
	}
	if s := q.status.Get(tx); s.closed != 0 && s.reserved == 0 && q.held.size(tx) == 0 {
		return taken, prop.ErrClosed
	}
	return stm.Select[T](tx) // no alternative: retries, without a panic
}

// Remove takes every value out that match accepts, at one moment and in the order of their turns. It does not wait.
func (q *Queue[T]) Remove(tx *stm.Tx, match func(v T) bool) (removed []T) {
	q.look.walk(tx, func(v T) pick {
		if !match(v) {
			return pick{}
		}
		removed = append(removed, v)
		return pick{remove: true}
	})
	return removed
}

func (r *ring[T]) walk(tx *stm.Tx, f func(v T) pick) {
	head, tail := r.head.Get(tx), r.tail.Get(tx)
	kept, at := walkSlots(head, tail, func(i uint64) T { return r.slot(i).Get(tx) }, f)
	removed := at - head - uint64(len(kept))
	if removed == 0 {
		return
	}
	var none T
	for i := range removed {
		r.slot(head+i).Set(tx, none)
	}
	for i, v := range kept { // up to the place where the walk stopped: those behind it stay where they are
		r.slot(head+removed+uint64(i)).Set(tx, v)
	}
	r.head.Set(tx, head+removed)
	r.seen.Set(tx, tail)
}

// walkSlots shows f what at gives for the numbers from head to tail, and tells which were kept and after which it stopped.
func walkSlots[T any](head, tail uint64, at func(i uint64) T, f func(v T) pick) (kept []T, stopped uint64) {
	for i := head; i < tail; i++ {
		v := at(i)
		p := f(v)
		if !p.remove {
			kept = append(kept, v)
		}
		if p.stop {
			return kept, i + 1
		}
	}
	return kept, tail
}

func (s *stack[T]) walk(tx *stm.Tx, f func(v T) pick) {
	bottom, top := s.bottom.Get(tx), s.top.Get(tx)
	kept, depth := walkSlots(0, top-bottom, func(i uint64) T { return s.slot(top - 1 - i).Get(tx) }, f)
	removed := depth - uint64(len(kept))
	if removed == 0 {
		return
	}
	var none T
	for i := range removed {
		s.slot(top-1-i).Set(tx, none)
	}
	for i, v := range kept {
		s.slot(top-1-removed-uint64(i)).Set(tx, v)
	}
	s.top.Set(tx, top-removed)
}

func (c *chain[T]) walk(tx *stm.Tx, f func(v T) pick) {
	at := c.first.Get(tx)
	for l := at.Get(tx); l != nil; l = at.Get(tx) {
		p := f(l.value)
		if p.remove {
			rest := l.next.Get(tx)
			at.Set(tx, rest)
			if rest == nil { // it was the last: the next value is put here
				c.last.Set(tx, at)
			}
			c.gauge.out.Set(tx, c.gauge.out.Get(tx)+1)
		} else {
			at = l.next
		}
		if p.stop {
			return
		}
	}
}

func (s *sorted[T]) walk(tx *stm.Tx, f func(v T) pick) {
	before := s.content.Get(tx)
	after := before
	before.turns.each(func(e *entry[T]) bool {
		p := f(e.value)
		if p.remove {
			after = s.without(after, e)
		}
		return !p.stop
	})
	if after != before {
		s.content.Set(tx, after)
	}
}
