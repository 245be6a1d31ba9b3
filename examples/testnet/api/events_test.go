package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/stm"
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

// TestEventsOutlive: the limits on a whole request do not end events, which may go on for ever.
func TestEventsOutlive(t *testing.T) {
	f := newFake()
	ctx, end := context.WithCancel(t.Context())
	defer end()
	s := httptest.NewUnstartedServer(nil)
	s.Config = NewServer(ctx, handlerOf(f))
	s.Config.ReadTimeout, s.Config.WriteTimeout = 2*eventPause, 2*eventPause
	s.Start()
	defer s.Close()
	c, err := NewClient(s.URL)
	require.NoError(t, err)
	defer c.Close()
	var last uint64
	for s, err := range c.Events(t.Context()) { // each event comes eventPause after the one before, or later
		require.NoError(t, err)
		if last = s.Height; last == 14 {
			break
		}
		f.set(t, func(s *Status) { s.Height++ })
	}
	require.EqualValues(t, 14, last)
	end()
}

// stuck is a connection whose client does not read: the second event finds no room, and a write ends at its deadline.
type stuck struct {
	http.ResponseWriter
	writes   int
	deadline []time.Time
}

func (s *stuck) SetWriteDeadline(at time.Time) error { s.deadline = append(s.deadline, at); return nil }
func (s *stuck) FlushError() error                   { return nil }
func (s *stuck) Write(p []byte) (int, error) {
	if s.writes++; s.writes == 2 {
		return 0, os.ErrDeadlineExceeded
	}
	return len(p), nil
}

// TestStuckSubscriber: each event has a deadline of its own; who does not read by then is dropped, and the place is free again.
func TestStuckSubscriber(t *testing.T) {
	f := newFake()
	h := &handler{node: f, subscribers: newLimit(1)}
	w := &stuck{ResponseWriter: httptest.NewRecorder()}
	before := time.Now()
	changing, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		for h := uint64(5); changing.Err() == nil; h++ {
			f.set(t, func(s *Status) { s.Height = h })
		}
	}()
	h.subscribers.guard(h.events)(w, httptest.NewRequest("GET", "/events", nil))
	require.Equal(t, 2, w.writes)
	require.Len(t, w.deadline, 2)
	for _, at := range w.deadline {
		require.False(t, at.Before(before.Add(eventWriteMax)))
	}
	require.True(t, w.deadline[1].After(w.deadline[0]))
	require.Equal(t, 1, free(t, h.subscribers))
}

// free is how many more requests a limit takes.
func free(t *testing.T, l limit) int {
	n, err := stm.Query(t.Context(), l.free.Free)
	require.NoError(t, err)
	return n
}
