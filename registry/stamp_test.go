package registry

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// Tasks that are started before the last one has begun share its time of birth, but not too many of them, and not that
// of a resource, which may be old and moved.
func TestStamp(t *testing.T) {
	require.NoError(t, Run(context.Background(), func(_ context.Context, s *Scope) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		waiting := &entry{scope: s, kind: task, born: 1}
		s.stack.push(waiting)
		require.Greater(t, s.stamp(), waiting.born, "it has begun")
		s.pending = waiting
		for range stampsMax {
			require.Equal(t, waiting.born, s.stamp())
		}
		require.Greater(t, s.stamp(), waiting.born)
		require.Equal(t, waiting.born, s.stamp(), "and again")
		moved := &entry{scope: s, kind: resource, born: 1}
		s.stack.push(moved)
		require.Greater(t, s.stamp(), moved.born)
		s.pending = nil
		s.stack.remove(moved)
		s.stack.remove(waiting)
		require.Nil(t, s.stack.youngest)
		require.Equal(t, []*entry{nil, nil, nil}, []*entry{moved.older, waiting.younger, waiting.older}, "who keeps one that has ended keeps no other")
		return nil
	}))
}
