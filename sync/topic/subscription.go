package topic

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Item is a value, and how many before it were missed.
type Item[T any] struct {
	Value  T
	Missed int // since the last Item, or since the subscription began
}

// Subscription is a place in a topic's sequence. It is a prop.Source.
type Subscription[T any] struct {
	topic *Topic[T]
	bound uint64
	at    *stm.Var[uint64] // the number of the value to take
}

// Subscribe begins with the next value that is published, and may be behind by bound values.
func (t *Topic[T]) Subscribe(tx *stm.Tx, bound int) *Subscription[T] {
	if bound < 1 || bound > len(t.slots) {
		panic("topic: a bound below 1 or above the history")
	}
	return &Subscription[T]{t, uint64(bound), stm.NewVar(t.next.Get(tx)).Label("subscription.at")}
}

// Props is the subscription's contract.
func (s *Subscription[T]) Props() prop.Props { return s.topic.props(int(s.bound)) }

// Take is the next value, and waits for it.
func (s *Subscription[T]) Take(tx *stm.Tx) (Item[T], error) {
	at := s.at.Get(tx)
	e, missed := s.find(tx, at)
	switch {
	case e != nil:
		s.at.Set(tx, e.nth+1)
		return Item[T]{e.value, missed}, nil
	case s.topic.closed.Get(tx):
		return Item[T]{}, prop.ErrClosed
	}
	return stm.Select[Item[T]](tx) // no alternative: retries, without a panic
}

// find is the entry at a number, or the oldest that is still within the bound, or nil. Who may be behind by the whole
// history looks at the slot alone, and does not conflict with those who publish unless they overtake him.
func (s *Subscription[T]) find(tx *stm.Tx, at uint64) (e *entry[T], missed int) {
	if s.bound == uint64(len(s.topic.slots)) {
		e = s.topic.slot(at).Get(tx)
		if e == nil || e.nth < at {
			return nil, 0
		}
		if e.nth == at {
			return e, 0
		}
	}
	next := s.topic.next.Get(tx)
	if next == at {
		return nil, 0
	}
	if next-at > s.bound {
		missed = int(next - s.bound - at)
		at = next - s.bound
	}
	return s.topic.slot(at).Get(tx), missed
}

// Behind is how many values there are that have not been taken, missed ones too.
func (s *Subscription[T]) Behind(tx *stm.Tx) int { return int(s.topic.next.Get(tx) - s.at.Get(tx)) }

// Rewind makes the subscription go on with the last n values, those taken already too, as far as its bound and the
// topic's history reach. It never goes forward, so it misses nothing by that.
func (s *Subscription[T]) Rewind(tx *stm.Tx, n int) {
	next := s.topic.next.Get(tx)
	s.at.Set(tx, min(s.at.Get(tx), next-min(uint64(max(n, 0)), s.bound, next)))
}
