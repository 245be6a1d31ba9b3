package prop

import (
	"errors"

	"github.com/synodkit/synod/stm"
)

// ErrClosed is what Put fails with after Close, and Take once nothing is left either.
var ErrClosed = errors.New("prop: closed")

// ErrFull is what Put fails with when there is no room and the policy is to say so.
var ErrFull = errors.New("prop: full")

// Sink takes values.
type Sink[T any] interface {
	// Put hands v over and tells what was lost to make room for it, which may be v itself. It returns stm.ErrRetry if it
	// has to wait, ErrFull if it refuses v, ErrClosed after Close. With an error nothing has changed.
	Put(tx *stm.Tx, v T) (Lost[T], error)

	// Close ends the stream of values. What was put before can still be taken.
	Close(tx *stm.Tx)

	Props() Props
}

// Source gives values.
type Source[T any] interface {
	// Take gives the next value. It returns stm.ErrRetry if it has to wait, ErrClosed if nothing will come any more.
	Take(tx *stm.Tx) (T, error)

	Props() Props
}

// Lost is a value that nobody will take, or none. Who puts decides what becomes of it.
type Lost[T any] struct {
	Value T
	Any   bool // whether there is one
}
