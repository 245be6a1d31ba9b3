package queue

import "github.com/synodkit/synod/stm"

// stack is a shelf for LIFO queues: a ring whose values are taken where they are put, and dropped at the other end.
type stack[T any] struct {
	slots  []*stm.Var[T]
	bottom *stm.Var[uint64] // values dropped
	top    *stm.Var[uint64]
}

func newStack[T any](capacity int) *stack[T] {
	return &stack[T]{slots[T](capacity), stm.NewVar[uint64](0), stm.NewVar[uint64](0).Label("queue.top")}
}

func (s *stack[T]) room(tx *stm.Tx, reserved int) bool { return s.size(tx)+reserved < len(s.slots) }

func (s *stack[T]) add(tx *stm.Tx, v T) {
	top := s.top.Get(tx)
	s.slot(top).Set(tx, v)
	s.top.Set(tx, top+1)
}

func (s *stack[T]) next(tx *stm.Tx) (v T, ok bool) {
	top := s.top.Get(tx)
	if top == s.bottom.Get(tx) {
		return v, false
	}
	s.top.Set(tx, top-1)
	return s.clear(tx, top-1), true
}

// clear gives the value at a counter and does not keep it alive.
func (s *stack[T]) clear(tx *stm.Tx, at uint64) T {
	slot := s.slot(at)
	v := slot.Get(tx)
	var none T
	slot.Set(tx, none)
	return v
}

func (s *stack[T]) evict(tx *stm.Tx, v T) T {
	if s.size(tx) == 0 { // all places are reserved
		return v
	}
	bottom := s.bottom.Get(tx)
	old := s.clear(tx, bottom)
	s.bottom.Set(tx, bottom+1)
	s.add(tx, v)
	return old
}

func (s *stack[T]) size(tx *stm.Tx) int { return int(s.top.Get(tx) - s.bottom.Get(tx)) }

// slot is the place of the value number n.
func (s *stack[T]) slot(n uint64) *stm.Var[T] { return s.slots[n%uint64(len(s.slots))] }

func (s *stack[T]) label(name string) { s.top.Label(name + ".top") }
