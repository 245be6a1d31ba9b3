package p2p

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// Wait is how the side that has agency waits: it flushes what was sent, then runs f as a transaction of its own, which may Retry, until f
// returns or the peer is gone. A cancelled ctx ends the wait, and the session only if that ctx is the session's (or its parent).
func Wait[T any](ctx context.Context, s *Session, f func(tx *stm.Tx) T) (T, error) {
	var zero T
	if s.err != nil {
		return zero, s.err
	}
	if err := s.quiet(); err != nil {
		return zero, err
	}
	if err := s.flush(); err != nil {
		return zero, err
	}
	s.conn.Stream.Watch()
	type result struct {
		value T
		gone  error
	}
	r, err := stm.Query(ctx, func(tx *stm.Tx) result {
		if err := s.conn.Stream.Gone(tx); err != nil {
			return result{gone: err}
		}
		return result{value: f(tx)}
	})
	if err != nil {
		if s.cancelled() != nil {
			s.end(err)
		}
		return zero, err
	}
	if r.gone != nil {
		return zero, s.fail(r.gone)
	}
	return r.value, nil
}
