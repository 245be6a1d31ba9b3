package seam

import (
	"context"
	"sync"
	"time"
)

// Ctx is the context of a simulation: a standard cancelCtx, so that contexts derived by the standard library attach to
// it without a goroutine and context.Cause works, plus an ordered list of what must happen when it ends.
type Ctx struct {
	context.Context // a standard cancelCtx over src
	src             *source
	cancelStd       context.CancelCauseFunc
	world           World
	id              uint32

	mu          sync.Mutex // for the race detector: a world runs one task at a time, and orders what a standard context would
	first, last *hook
	detach      []func() // undone when c ends: the parent's hook, the poll, the timer
}

// source is the parent of the wrapped cancelCtx. Only a parent can give a child the error DeadlineExceeded.
type source struct {
	values   context.Context
	done     chan struct{}
	err      error
	end      func() // set by the standard library through AfterFunc
	deadline time.Time
}

func (s *source) Done() <-chan struct{} { return s.done }
func (s *source) Err() error            { return s.err }
func (s *source) Value(k any) any       { return s.values.Value(k) }

func (s *source) Deadline() (time.Time, bool) {
	if !s.deadline.IsZero() {
		return s.deadline, true
	}
	return s.values.Deadline()
}

// AfterFunc is the method by which the standard library attaches a child without starting a goroutine.
func (s *source) AfterFunc(f func()) func() bool {
	s.end = f
	return func() bool { s.end = nil; return true }
}

// hook is one entry of a Ctx's ordered list: a child context or a callback.
type hook struct {
	on         *Ctx
	linked     bool            // in on's list
	via        context.Context // the standard context between, if any: it may outlive on (context.WithoutCancel)
	child      *Ctx
	f          func()
	next, prev *hook
}

type ownKey struct{}

func newCtx(parent context.Context, w World) *Ctx {
	c := &Ctx{world: w, id: w.NewID(), src: &source{values: parent, done: make(chan struct{})}}
	c.Context, c.cancelStd = context.WithCancelCause(c.src)
	return c
}

// Root is the context that a simulation hands to its first task.
func Root(w World) *Ctx { return newCtx(context.Background(), w) }

// Value answers for the world and for the nearest Ctx, and otherwise as the parent does.
func (c *Ctx) Value(k any) any {
	switch k.(type) {
	case worldKey:
		return c.world
	case ownKey:
		return c
	}
	return c.Context.Value(k)
}

// Err is as always. To a world that explores, asking for it is a read.
func (c *Ctx) Err() error {
	if Running() {
		if w := Exploring(); w == c.world {
			w.Effect(&Effect{Reads: []uint32{c.id}})
		}
	}
	return c.Context.Err()
}

// ID is the id under which cancelling c and finding it done appear in effects.
func (c *Ctx) ID() uint32 { return c.id }

func (c *Ctx) add(h *hook) *hook {
	c.mu.Lock()
	defer c.mu.Unlock()
	h.on, h.prev, h.linked = c, c.last, true
	if c.last != nil {
		c.last.next = h
	} else {
		c.first = h
	}
	c.last = h
	return h
}

func (h *hook) remove() {
	h.on.mu.Lock()
	defer h.on.mu.Unlock()
	h.unlink()
}

// pop takes the first hook out, or gives nil.
func (c *Ctx) pop() *hook {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.first
	if h != nil {
		h.unlink()
	}
	return h
}

func (h *hook) unlink() {
	c := h.on
	if !h.linked {
		return
	}
	if h.prev != nil {
		h.prev.next = h.next
	} else {
		c.first = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	} else {
		c.last = h.prev
	}
	h.linked = false
}

// atEnd has f undone when c ends.
func (c *Ctx) atEnd(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.detach = append(c.detach, f)
}

// Cancel ends c with err (context.Canceled or context.DeadlineExceeded): the standard part first, then its children and
// callbacks in order. The step writes c's id.
func (c *Ctx) Cancel(err, cause error) {
	c.endStd(err, cause)
	c.release()
	c.world.Effect(&Effect{Writes: []uint32{c.id}})
	for h := c.pop(); h != nil; h = c.pop() {
		switch {
		case h.via.Err() == nil:
		case h.child != nil:
			h.child.Cancel(h.via.Err(), context.Cause(h.via))
		default:
			h.f()
		}
	}
}

// End cancels c and its children without running a callback or reporting an effect: the world is over.
func (c *Ctx) End(cause error) {
	c.endStd(context.Canceled, cause)
	for h := c.pop(); h != nil; h = c.pop() {
		if h.child != nil {
			h.child.End(cause)
		}
	}
}

func (c *Ctx) endStd(err, cause error) {
	if c.Err() != nil {
		return
	}
	if err == context.DeadlineExceeded {
		c.src.err = context.DeadlineExceeded
		close(c.src.done)
		c.src.end()
		return
	}
	c.cancelStd(cause)
}

func (c *Ctx) release() {
	c.mu.Lock()
	undo := c.detach
	c.detach = nil
	c.mu.Unlock()
	for _, f := range undo {
		f()
	}
}
