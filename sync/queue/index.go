package queue

import "cmp"

// index knows whom a full queue loses. It is immutable.
type index[T any] interface {
	with(e *entry[T]) index[T]
	without(e *entry[T]) index[T]
	victim(e *entry[T]) *entry[T] // whom to lose for e, which is not in the index; or e
}

// ordered loses the first of an order.
type ordered[T any] struct {
	order order[*entry[T]]
	all   *node[*entry[T]]
}

func (o ordered[T]) with(e *entry[T]) index[T] { return ordered[T]{o.order, o.order.with(o.all, e)} }

func (o ordered[T]) without(e *entry[T]) index[T] {
	return ordered[T]{o.order, o.order.without(o.all, e)}
}

func (o ordered[T]) victim(e *entry[T]) *entry[T] {
	if o.all == nil {
		return e
	}
	if f := first(o.all); o.order(f, e) < 0 {
		return f
	}
	return e
}

// shares loses the newest of the producer that holds most.
type shares[T any, K cmp.Ordered] struct {
	producer func(T) K
	lanes    *node[*lane[T, K]] // by producer
	heaviest *node[*lane[T, K]] // those that hold most first
}

// lane is what one producer holds, newest first.
type lane[T any, K cmp.Ordered] struct {
	producer K
	size     int
	entries  *node[*entry[T]]
}

func byProducer[T any, K cmp.Ordered](a, b *lane[T, K]) int {
	return cmp.Compare(a.producer, b.producer)
}

func byWeight[T any, K cmp.Ordered](a, b *lane[T, K]) int {
	return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.producer, b.producer))
}

func newestFirst[T any](a, b *entry[T]) int { return byAge(b, a) }

// lane is that of e's producer, perhaps an empty one.
func (s shares[T, K]) lane(e *entry[T]) *lane[T, K] {
	probe := &lane[T, K]{producer: s.producer(e.value)}
	if l, ok := order[*lane[T, K]](byProducer[T, K]).find(s.lanes, probe); ok {
		return l
	}
	return probe
}

// replaced has the lane l in the place of old.
func (s shares[T, K]) replaced(old, l *lane[T, K]) index[T] {
	producers, weights := order[*lane[T, K]](byProducer[T, K]), order[*lane[T, K]](byWeight[T, K])
	heaviest := weights.without(s.heaviest, old)
	if l.size == 0 {
		return shares[T, K]{s.producer, producers.without(s.lanes, l), heaviest}
	}
	return shares[T, K]{s.producer, producers.with(s.lanes, l), weights.with(heaviest, l)}
}

func (s shares[T, K]) with(e *entry[T]) index[T] {
	l := s.lane(e)
	entries := order[*entry[T]](newestFirst[T]).with(l.entries, e)
	return s.replaced(l, &lane[T, K]{l.producer, l.size + 1, entries})
}

func (s shares[T, K]) without(e *entry[T]) index[T] {
	l := s.lane(e)
	entries := order[*entry[T]](newestFirst[T]).without(l.entries, e)
	return s.replaced(l, &lane[T, K]{l.producer, l.size - 1, entries})
}

func (s shares[T, K]) victim(e *entry[T]) *entry[T] {
	if s.heaviest == nil {
		return e
	}
	h := first(s.heaviest)
	if s.lane(e).size+1 >= h.size {
		return e
	}
	return first(h.entries)
}
