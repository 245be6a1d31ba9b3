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
			run := func(ctx context.Context) error {
				ctx, cancel := env.WithCancel(ctx)
				defer cancel()
				return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error { return accepting(s, late, cancel) })
			}
			if !nested {
				require.NoError(t, run(context.Background()))
				continue
			}
			require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
				s.Go("nested", run)
				return nil
			}))
		}
	}
}

func accepting(s *registry.Scope, late bool, cancel func()) error {
	released := make(chan struct{})
	s.Go("accepting", func(context.Context) error { <-released; return nil })
	listen := func() error {
		_, err := registry.Acquire(s, "listener", func(context.Context) (int, error) { return 0, nil },
			func(context.Context, int) error { close(released); return nil })
		return err
	}
	s.Go("cancelling", func(context.Context) error {
		for len(registry.Dump(s).Waits) == 0 { // until Run waits
			runtime.Gosched()
		}
		if late {
			if err := listen(); err != nil {
				return err
			}
		}
		cancel()
		return nil
	})
	if late {
		return nil
	}
	return listen()
}
