package registry

import (
	"context"
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
