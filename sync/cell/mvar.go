package cell

import (
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// MVar is empty or holds a value. It is a prop.Sink and a prop.Source.
type MVar[T any] struct {
	value  *stm.Var[*T] // nil is empty
	closed *stm.Var[bool]
}

// NewMVar makes an empty MVar.
func NewMVar[T any]() *MVar[T] {
	return &MVar[T]{stm.NewVar[*T](nil).Label("mvar"), stm.NewVar(false)}
}

// NewFullMVar makes an MVar that holds v.
func NewFullMVar[T any](v T) *MVar[T] {
	return &MVar[T]{stm.NewVar(&v).Label("mvar"), stm.NewVar(false)}
}

// Props is the MVar's contract.
func (m *MVar[T]) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: 1, Full: prop.Waits}
}

// Put fills m, and waits until it is empty. Nothing is ever lost.
func (m *MVar[T]) Put(tx *stm.Tx, v T) (lost prop.Lost[T], err error) {
	switch {
	case m.closed.Get(tx):
		return lost, prop.ErrClosed
	case m.value.Get(tx) != nil:
		return stm.Select[prop.Lost[T]](tx) // no alternative: retries, without a panic
	}
	m.value.Set(tx, &v)
	return lost, nil
}

// Take empties m, and waits until it is full.
func (m *MVar[T]) Take(tx *stm.Tx) (T, error) {
	v, err := m.Read(tx)
	if err == nil {
		m.value.Set(tx, nil)
	}
	return v, err
}

// Read is the value, which stays. It waits until there is one.
func (m *MVar[T]) Read(tx *stm.Tx) (none T, err error) {
	switch p := m.value.Get(tx); {
	case p != nil:
		return *p, nil
	case m.closed.Get(tx):
		return none, prop.ErrClosed
	}
	return stm.Select[T](tx)
}

// Swap puts v in the place of the value, which it gives. It waits until there is one.
func (m *MVar[T]) Swap(tx *stm.Tx, v T) (T, error) {
	old, err := m.Read(tx)
	if err == nil {
		m.value.Set(tx, &v)
	}
	return old, err
}

// Close makes Put fail. A value that is there can still be taken.
func (m *MVar[T]) Close(tx *stm.Tx) { m.closed.Set(tx, true) }
