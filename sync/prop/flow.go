package prop

import (
	"context"
	"errors"
	"iter"

	"github.com/synodkit/synod/stm"
)

// Send is one Put as a transaction of its own. It waits as Put does.
func Send[T any](ctx context.Context, s Sink[T], v T) (Lost[T], error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (Lost[T], error) { return s.Put(tx, v) })
}

// Recv is one Take as a transaction of its own. It waits as Take does.
func Recv[T any](ctx context.Context, s Source[T]) (T, error) { return stm.Atomically(ctx, s.Take) }

// All takes one value after the other until s is closed and empty. Another error of s, or that of ctx, is the error of a
// last pair, also one that unwraps to ErrClosed and says more, such as that a promise was abandoned. A loop that is left
// has taken what it was given, and nothing more.
func All[T any](ctx context.Context, s Source[T]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := Recv(ctx, s)
			if err == ErrClosed || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// Batch waits for a first value and takes with it what else is there, at most n values, in one transaction. The more a
// consumer is behind, the more it does at once.
func Batch[T any](ctx context.Context, s Source[T], n int) ([]T, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) ([]T, error) {
		v, err := s.Take(tx)
		if err != nil {
			return nil, err
		}
		return append([]T{v}, Rest(tx, s, n-1)...), nil
	})
}

// Rest takes what is there, at most n values, and waits for nothing. An error of s is left for the next Take to meet.
func Rest[T any](tx *stm.Tx, s Source[T], n int) (batch []T) {
	for len(batch) < n {
		v, err := stm.Select(tx, s.Take, nothing[T])
		if err != nil {
			break
		}
		batch = append(batch, v)
	}
	return batch
}

var errNothing = errors.New("prop: nothing there")

// nothing is the alternative to waiting.
func nothing[T any](*stm.Tx) (v T, err error) { return v, errNothing }
