package registry

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// A closer that has looked at its stack before a resource was moved away leaves it alone.
func TestCloserComesTooLate(t *testing.T) {
	closed := 0
	require.NoError(t, Run(context.Background(), func(ctx context.Context, to *Scope) error {
		return Run(ctx, func(ctx context.Context, from *Scope) error {
			h, err := Acquire(from, "x", func(context.Context) (int, error) { return 7, nil }, func(context.Context, int) error { closed++; return nil })
			require.NoError(t, err)
			seen := from.nextToClose()
			require.NoError(t, h.Move(to))
			from.settle(seen)
			require.Equal(t, 7, h.Value())
			require.NoError(t, h.Release(ctx))
			require.Equal(t, 1, closed)
			to.settle(h.held.place)
			require.Equal(t, 1, closed, "nor does it release what is released")
			return nil
		})
	}))
}

// A scope that has ended just when its grace did hands nothing over.
func TestHandOverOfNothing(t *testing.T) {
	require.NoError(t, Run(context.Background(), func(ctx context.Context, outer *Scope) error {
		var inner *Scope
		err := Run(ctx, func(_ context.Context, s *Scope) error { inner = s; return nil }, WithGrace(1<<40))
		require.Nil(t, inner.handOver(ctx, nil))
		require.Nil(t, outer.stack.youngest)
		require.Zero(t, outer.live)
		return err
	}))
	require.NoError(t, Run(context.Background(), func(_ context.Context, root *Scope) error {
		root.ended, root.bound = true, newBound(1)
		require.Nil(t, root.handOver(context.Background(), nil), "nor to nobody")
		root.ended, root.bound = false, nil
		return nil
	}))
}

// What a task had is let go of when it is not needed any more, in scopes that live long.
func TestNothingIsKept(t *testing.T) {
	require.NoError(t, Run(context.Background(), func(ctx context.Context, s *Scope) error {
		s.Go("plain", func(ctx context.Context) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			require.Nil(t, entryOf(ctx).run, "it has begun")
			return nil
		})
		forked := make(chan context.Context, 1)
		_, err := Fork(s, "fork", func(ctx context.Context) (int, error) { forked <- ctx; return 0, nil }).Wait(ctx)
		require.NoError(t, err)
		<-(<-forked).Done()
		refused := s.entryWithContext(task, "refused", 0)
		s.closing = true
		require.NotNil(t, s.spawn(refused, nil, nil, nil))
		s.closing = false
		require.Equal(t, context.Canceled, refused.Err())
		return nil
	}))
}

type unwrapsToNothing struct{}

func (unwrapsToNothing) Error() string { return "nothing below" }

type emptyJoin struct{ unwrapsToNothing }

func (emptyJoin) Unwrap() []error { return nil }

type emptyWrap struct{ unwrapsToNothing }

func (emptyWrap) Unwrap() error { return nil }

type uncomparable []string

func (uncomparable) Error() string { return "uncomparable" }

// Only what says nothing else is an echo.
// hidden is of a comparable type, but what it holds need not be.
type hidden struct{ what any }

func (hidden) Error() string { return "hidden" }

func TestEchoes(t *testing.T) {
	known := &taskError{"known", errWhy}
	o := &outcome{failures: []error{known, uncomparable{"a"}}}
	for _, echo := range []error{errWhy, known, context.Canceled, &taskError{"t", context.Canceled}, errors.Join(known, context.Canceled),
		fmt.Errorf("%w and %w", errWhy, context.Canceled)} {
		require.True(t, o.echoes(echo, errWhy), "%v", echo)
	}
	for _, other := range []error{emptyJoin{}, emptyWrap{}, uncomparable{"a"}, errEnough, errors.Join(known, errEnough), context.DeadlineExceeded,
		errors.Join(emptyJoin{}, context.Canceled), &PanicError{Value: context.Canceled}, &taskError{"t", &PanicError{Value: errWhy}}, hidden{[]int{1}}} {
		require.False(t, o.echoes(other, errWhy), "%v", other)
		require.False(t, (*outcome)(nil).echoes(other, errWhy), "%v", other)
	}
	require.False(t, (*outcome)(nil).echoes(known, uncomparable{"a"}))
	require.False(t, (*outcome)(nil).echoes(hidden{[]int{1}}, hidden{[]int{1}}))
	boom := &PanicError{Value: context.Canceled}
	require.True(t, (&outcome{failures: []error{boom}}).echoes(&taskError{"t", boom}, errWhy), "reported already")
}

// A panic is reported, whatever its value: also that of a daemon at a normal end.
func TestPanicWithTheCancellation(t *testing.T) {
	err := Run(context.Background(), func(ctx context.Context, s *Scope) error {
		return s.Daemon(ctx, "daemon", func(ctx context.Context, ready func()) error {
			ready()
			<-ctx.Done()
			panic(ctx.Err())
		})
	})
	var p *PanicError
	require.ErrorAs(t, err, &p)
	require.ErrorIs(t, err, context.Canceled)
}
