package queue

import (
	"cmp"

	"github.com/synodkit/synod/stm"
)

// sorted is a shelf for whatever order and whatever policy: a tree of who is taken next, and an index of who is lost
// next, immutable both.
type sorted[T any] struct {
	capacity int
	turn     order[*entry[T]]
	content  *stm.Var[*content[T]]
}

type content[T any] struct {
	count  uint64 // values put so far
	size   int
	turns  *node[*entry[T]]
	losers index[T] // nil if the policy loses nobody
}

// entry is a value and its age.
type entry[T any] struct {
	value T
	born  uint64
}

func byAge[T any](a, b *entry[T]) int { return cmp.Compare(a.born, b.born) }

func newSorted[T any](capacity int, full Full[T], turn order[*entry[T]]) *sorted[T] {
	c := &content[T]{}
	if full.index != nil {
		c.losers = full.index()
	}
	return &sorted[T]{capacity, turn, stm.NewVar(c).Label("queue.content")}
}

func (s *sorted[T]) room(tx *stm.Tx, reserved int) bool {
	return s.content.Get(tx).size+reserved < s.capacity
}

func (s *sorted[T]) add(tx *stm.Tx, v T) {
	c := s.content.Get(tx)
	s.content.Set(tx, s.with(c, &entry[T]{v, c.count}))
}

func (s *sorted[T]) next(tx *stm.Tx) (v T, ok bool) {
	c := s.content.Get(tx)
	if c.size == 0 {
		return v, false
	}
	e := first(c.turns)
	s.content.Set(tx, s.without(c, e))
	return e.value, true
}

func (s *sorted[T]) evict(tx *stm.Tx, v T) T {
	c := s.content.Get(tx)
	e := &entry[T]{v, c.count}
	victim := c.losers.victim(e)
	if victim != e {
		s.content.Set(tx, s.with(s.without(c, victim), e))
	}
	return victim.value
}

func (s *sorted[T]) size(tx *stm.Tx) int { return s.content.Get(tx).size }

func (s *sorted[T]) with(c *content[T], e *entry[T]) *content[T] {
	d := &content[T]{c.count + 1, c.size + 1, s.turn.with(c.turns, e), c.losers}
	if d.losers != nil {
		d.losers = d.losers.with(e)
	}
	return d
}

func (s *sorted[T]) without(c *content[T], e *entry[T]) *content[T] {
	d := &content[T]{c.count, c.size - 1, s.turn.without(c.turns, e), c.losers}
	if d.losers != nil {
		d.losers = d.losers.without(e)
	}
	return d
}

func (s *sorted[T]) label(name string) { s.content.Label(name + ".content") }
