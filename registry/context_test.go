package registry

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
)

var errWhy = errors.New("why")

// scopeUnder runs nothing in a scope and returns it, and its context.
func scopeUnder(t *testing.T, outer context.Context, body func(ctx context.Context, s *Scope) error) (s *Scope, ctx context.Context, err error) {
	err = Run(outer, func(c context.Context, in *Scope) error {
		s, ctx = in, c
		require.Equal(t, unmade, s.ending.state.Load())
		return body(c, in)
	})
	return s, ctx, err
}

func nothingIn(context.Context, *Scope) error { return nil }

func TestContextIsMadeWhenAskedFor(t *testing.T) {
	s, ctx, err := scopeUnder(t, context.Background(), func(ctx context.Context, s *Scope) error {
		s.Go("computes", func(ctx context.Context) error { return ctx.Err() })
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, cancelled, s.ending.state.Load(), "nobody has asked")
	require.Equal(t, context.Canceled, ctx.Err())
	require.Equal(t, cancelled, s.ending.state.Load(), "whether it has ended is no reason")
	<-ctx.Done()
	require.Equal(t, made, s.ending.state.Load())
	require.Equal(t, context.Canceled, ctx.Err())
	require.Equal(t, context.Canceled, context.Cause(ctx))
	derived, cancel := env.WithCancel(ctx)
	defer cancel()
	<-derived.Done()
}

// What the context says first it says for ever, whatever becomes of the outer one.
func TestContextEndsOnce(t *testing.T) {
	outer, cancel := env.WithCancelCause(context.Background())
	_, ctx, err := scopeUnder(t, outer, nothingIn)
	require.NoError(t, err)
	cancel(errWhy)
	require.Equal(t, context.Canceled, context.Cause(ctx), "the scope had ended before")

	late, cancelLate := context.WithDeadline(context.Background(), time.Unix(0, 0))
	defer cancelLate()
	s, ctx, err := scopeUnder(t, late, nothingIn)
	require.NoError(t, err)
	require.Equal(t, context.DeadlineExceeded, ctx.Err(), "the scope has ended after")
	require.Equal(t, context.DeadlineExceeded, context.Cause(ctx))
	_, limited := ctx.Deadline()
	require.True(t, limited)
	require.Equal(t, made, s.ending.state.Load())
}

func TestContextHasTheCause(t *testing.T) {
	_, ctx, err := scopeUnder(t, context.Background(), func(context.Context, *Scope) error { return errWhy })
	require.Equal(t, errWhy, err)
	require.Equal(t, errWhy, context.Cause(ctx))

	outer, cancel := env.WithCancelCause(context.Background())
	_, ctx, err = scopeUnder(t, outer, func(ctx context.Context, s *Scope) error {
		require.NoError(t, ctx.Err())
		cancel(errWhy)
		require.Equal(t, context.Canceled, ctx.Err())
		require.Equal(t, unmade, s.ending.state.Load())
		return errors.Join(ctx.Err())
	})
	require.Equal(t, errWhy, context.Cause(ctx))
	require.ErrorIs(t, err, context.Canceled)
}

// One makes the context while another ends it: it has ended for both.
func TestContextIsMadeAndEndedAtOnce(t *testing.T) {
	require.NoError(t, Run(context.Background(), func(_ context.Context, s *Scope) error {
		for range 2000 {
			n := &ending{outer: context.Background()}
			met := make(chan bool)
			made := Fork(s, "makes", func(context.Context) (context.Context, error) { <-met; return n.context(), nil })
			met <- true
			n.end(nil)
			ctx, err := made.Wait(context.Background())
			if err != nil || ctx.Err() != context.Canceled || n.Err() != context.Canceled || n.context() != ctx {
				return errors.Join(errors.New("lives on"), err)
			}
		}
		return nil
	}))
}
