package topic

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Topic is a sequence of values for everybody. It is a prop.Sink.
type Topic[T any] struct {
	slots  []*stm.Var[*entry[T]] // the value number n is in slot n modulo their number
	next   *stm.Var[uint64]      // the number of the next value
	closed *stm.Var[bool]
}

type entry[T any] struct {
	nth   uint64
	value T
}

// New makes a topic that keeps the last history values, the most that a subscription can be behind.
func New[T any](history int) *Topic[T] {
	if history < 1 {
		panic("topic: a history below 1")
	}
	t := &Topic[T]{make([]*stm.Var[*entry[T]], history), stm.NewVar[uint64](0), stm.NewVar(false).Label("topic.closed")}
	for i := range t.slots {
		t.slots[i] = stm.NewVar[*entry[T]](nil)
	}
	t.next.Label("topic.next")
	return t
}

// Props is the contract of the topic, and of a subscription that may be as far behind as the history.
func (t *Topic[T]) Props() prop.Props { return t.props(len(t.slots)) }

func (t *Topic[T]) props(bound int) prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: bound, Full: prop.Lags, Broadcast: true}
}

// Put publishes v. It never waits and loses nothing.
func (t *Topic[T]) Put(tx *stm.Tx, v T) (lost prop.Lost[T], err error) {
	if t.closed.Get(tx) {
		return lost, prop.ErrClosed
	}
	n := t.next.Get(tx)
	t.slot(n).Set(tx, &entry[T]{n, v})
	t.next.Set(tx, n+1)
	return lost, nil
}

func (t *Topic[T]) slot(n uint64) *stm.Var[*entry[T]] { return t.slots[n%uint64(len(t.slots))] }

// Close ends the sequence. Subscriptions take what is left, and then fail with prop.ErrClosed.
func (t *Topic[T]) Close(tx *stm.Tx) { t.closed.Set(tx, true) }

// Published is how many values there have been.
func (t *Topic[T]) Published(tx *stm.Tx) uint64 { return t.next.Get(tx) }
