package api

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestEvents: the first event is the present, then each change comes, and the newest is never missed.
func TestEvents(t *testing.T) {
	f := newFake()
	c, _, _ := serve(t, f)
	var heights []uint64
	for s, err := range c.Events(t.Context()) {
		require.NoError(t, err)
		heights = append(heights, s.Height)
		if s.Height == 1000 {
			break
		}
		if s.Height < 10 {
			f.set(t, func(s *Status) { s.Height++ })
			continue
		}
		for h := uint64(11); h <= 1000; h++ { // faster than anybody reads
			f.set(t, func(s *Status) { s.Height = h })
		}
	}
	require.Equal(t, []uint64{4, 5, 6, 7, 8, 9, 10}, heights[:7])
	require.Less(t, len(heights), 500, "changes that come fast share an event")
	require.IsIncreasing(t, heights)
}

// TestEventsEnd: events end with the node, with the caller's context and with the loop.
func TestEventsEnd(t *testing.T) {
	f := newFake()
	c, _, end := serve(t, f)
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	var last error
	for _, err := range c.Events(ctx) {
		last = err
		cancel(why)
	}
	require.ErrorIs(t, last, why)
	for _, err := range c.Events(t.Context()) {
		require.NoError(t, err)
		break
	}
	for _, err := range c.Events(t.Context()) {
		last = err
		end()
	}
	require.ErrorIs(t, last, ErrEnded)
}
