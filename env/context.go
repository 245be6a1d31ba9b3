package env

import (
	"context"

	"github.com/synodkit/synod/internal/seam"
)

// WithCancel derives a context that the result can cancel. In a simulation cancelling is a step.
func WithCancel(ctx context.Context) (context.Context, context.CancelFunc) {
	derived, cancel := seam.WithCancel(ctx)
	return derived, func() { cancel(nil) }
}

// WithCancelCause is WithCancel with a cause, which context.Cause and the errors of waits give.
func WithCancelCause(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	return seam.WithCancel(ctx)
}

// WithoutCancel is ctx, its world and its values without its end: for cleaning up after a cancellation. Bound it with
// WithTimeout if it may take long.
func WithoutCancel(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// AfterFunc runs f once ctx is done. stop reports whether it kept f from running. f must be short and must not wait: in
// a simulation it runs on the task that cancels.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) { return seam.AfterFunc(ctx, f) }
