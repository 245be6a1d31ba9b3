package stm

import (
	"context"
	"iter"
)

// Watch yields q's value, and then each new one. Values that were replaced while the loop was busy are skipped; the last
// one never is. If q retries, Watch waits. It ends when the loop does, or with an error once ctx is done.
func Watch[T comparable](ctx context.Context, q func(tx *Tx) T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		x, err := Query(ctx, q)
		for {
			if !yield(x, err) || err != nil {
				return
			}
			last := x
			x, err = Atomically(ctx, func(tx *Tx) (T, error) {
				x := q(tx)
				if same(x, last) {
					return x, ErrRetry
				}
				return x, nil
			})
		}
	}
}

// same is equality in which a value that differs from itself (NaN) does not count as new.
func same[T comparable](a, b T) bool { return a == b || a != a && b != b } //nolint:staticcheck
