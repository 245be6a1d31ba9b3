package stm

import (
	"context"
	"errors"
)

// ErrRetry, returned by a body, means what Tx.Retry does, without a panic.
var ErrRetry = errors.New("stm: retry")

// ErrSimulated is Poll's error inside a simulation, where Go channels do not exist.
var ErrSimulated = errors.New("stm: Poll inside a simulation")

// ended is the error of a done ctx, nil of a live one. It unwraps to ctx.Err() and to context.Cause(ctx).
func ended(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != err {
		return &cancelled{err, cause}
	}
	return err
}

type cancelled struct{ err, cause error }

func (c *cancelled) Error() string   { return c.err.Error() + ": " + c.cause.Error() }
func (c *cancelled) Unwrap() []error { return []error{c.err, c.cause} }

func isRetry(err error) bool { return err == ErrRetry || errors.Is(err, ErrRetry) }
