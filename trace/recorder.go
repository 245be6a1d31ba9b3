package trace

import (
	"context"
	"sync"
)

// recordedMax bounds a Recorder whose Max is not set.
const recordedMax = 1 << 16

// Recorder keeps the newest events it was given. The zero value is ready and keeps 65,536.
type Recorder[E any] struct {
	// Max is the number of events kept; when full the oldest is dropped and counted. Set it before the first event.
	Max int

	mu      sync.Mutex
	events  []E // a ring once it is full: start is the oldest
	start   int
	dropped uint64
}

// Tracer returns the tracer that records.
func (r *Recorder[E]) Tracer() Tracer[E] {
	return func(_ context.Context, e E) { r.add(e) }
}

func (r *Recorder[E]) add(e E) {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit := r.Max
	if limit <= 0 {
		limit = recordedMax
	}
	if len(r.events) < limit {
		r.events = append(r.events, e)
		return
	}
	r.events[r.start] = e
	r.start = (r.start + 1) % len(r.events)
	r.dropped++
}

// Events returns a copy of what is kept, oldest first.
func (r *Recorder[E]) Events() []E {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append(make([]E, 0, len(r.events)), r.events[r.start:]...), r.events[:r.start]...)
}

// Dropped returns how many events had to make room for newer ones.
func (r *Recorder[E]) Dropped() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.dropped
}
