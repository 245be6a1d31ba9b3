package registry_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
)

// A task, as of net/http, that ends only when a younger resource is released: once the outer context has ended, Run does
// not wait for the task first. That holds for what is acquired before Run waits and for what is acquired then.
func TestOuterContextEndsWhileRunWaits(t *testing.T) {
	for _, late := range []bool{false, true} {
		for _, nested := range []bool{false, true} {
			scopes := make(chan *registry.Scope, 1)
			released := make(chan struct{})
			listen := func(s *registry.Scope) error {
				_, err := registry.Acquire(s, "listener", func(context.Context) (int, error) { return 0, nil },
					func(context.Context, int) error { close(released); return nil })
				return err
			}
			require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				if !nested {
					ctx = context.Background()
				}
				ctx, cancel := env.WithCancel(ctx)
				defer cancel()
				s.Go("server", func(context.Context) error {
					return registry.Run(ctx, func(_ context.Context, s *registry.Scope) error {
						s.Go("accepting", func(context.Context) error { <-released; return nil })
						scopes <- s
						if late {
							return nil
						}
						return listen(s)
					})
				})
				server := <-scopes
				for len(registry.Dump(server).Waits) == 0 { // until Run waits
					runtime.Gosched()
				}
				if late {
					return listen(server)
				}
				return nil
			}))
		}
	}
}

// The same if a task fails, in a scope whose outer context never ends.
func TestFailureWhileRunWaits(t *testing.T) {
	released := make(chan struct{})
	require.ErrorIs(t, registry.Run(context.Background(), func(_ context.Context, s *registry.Scope) error {
		s.Go("accepting", func(context.Context) error { <-released; return nil })
		s.Go("failing", func(context.Context) error {
			for len(registry.Dump(s).Waits) == 0 { // until Run waits
				runtime.Gosched()
			}
			return errBoom
		})
		_, err := registry.Acquire(s, "listener", func(context.Context) (int, error) { return 0, nil },
			func(context.Context, int) error { close(released); return nil })
		return err
	}), errBoom)
}
