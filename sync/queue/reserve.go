package queue

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Place is room in a queue for one value that is still to come. It must be used once: filled or given back. Until then
// it counts as held, and a closed queue waits for it; so give it back also when the making of the value fails.
type Place[T any] struct {
	queue *Queue[T]
	used  *stm.Var[bool]
}

// Reserve takes a place. If there is none it waits, in a queue whose policy is to wait, and fails with prop.ErrFull in
// any other: nothing is dropped for a value that may never come.
func (q *Queue[T]) Reserve(tx *stm.Tx) (*Place[T], error) {
	s := q.status.Get(tx)
	switch {
	case s.closed != 0:
		return nil, prop.ErrClosed
	case !q.held.room(tx, int(s.reserved)) && q.full == prop.Waits:
		return stm.Select[*Place[T]](tx)
	case !q.held.room(tx, int(s.reserved)):
		return nil, prop.ErrFull
	}
	s.reserved++
	q.status.Set(tx, s)
	return &Place[T]{q, stm.NewVar(false)}, nil
}

// Fill puts v in the place. It never waits and never fails, also if the queue has been closed since.
func (p *Place[T]) Fill(tx *stm.Tx, v T) {
	p.use(tx)
	p.queue.held.add(tx, v)
}

// Release gives the place back. It does nothing if the place has been filled or given back, so that it can be
// deferred.
func (p *Place[T]) Release(tx *stm.Tx) {
	if !p.used.Get(tx) {
		p.use(tx)
	}
}

func (p *Place[T]) use(tx *stm.Tx) {
	if p.used.Get(tx) {
		panic("queue: a Place used twice")
	}
	p.used.Set(tx, true)
	s := p.queue.status.Get(tx)
	s.reserved--
	p.queue.status.Set(tx, s)
}
