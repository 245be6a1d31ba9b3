package seam

import (
	"context"
	"sync/atomic"
	"time"
)

// WithCancel derives a context that the result can cancel, in either world. In a simulation cancelling is a step.
func WithCancel(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	w := From(ctx)
	if w == nil {
		return context.WithCancelCause(ctx)
	}
	c := derive(ctx, w)
	return c, c.cancelStep
}

// WithTimeout derives a context that ends when d has passed in the world's time.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	w := From(ctx)
	if w == nil {
		return context.WithTimeout(ctx, d)
	}
	c := derive(ctx, w)
	at := w.Now().Add(d)
	if up, ok := ctx.Deadline(); !ok || at.Before(up) {
		c.src.deadline = at
		if c.Err() == nil {
			stop := w.After(d, func() { c.Cancel(context.DeadlineExceeded, nil) })
			c.atEnd(func() { stop() })
		}
	}
	return c, func() { c.cancelStep(nil) }
}

// binder is a world whose tasks may end before it does. Bound is f until the task that runs has been ended so, and
// nothing after that.
type binder interface{ Bound(f func()) func() }

// AfterFunc runs f when ctx is done: in production in a goroutine of the standard library, in a simulation in order,
// on the task that ends ctx, or at once if ctx is done already. stop reports whether it kept f from running.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	w := From(ctx)
	if w == nil {
		return context.AfterFunc(ctx, f)
	}
	if b, ok := w.(binder); ok {
		f = b.Bound(f)
	}
	var over atomic.Bool
	release := onDone(ctx, w, func() {
		if !over.Swap(true) {
			f()
		}
	})
	return func() bool {
		first := !over.Swap(true)
		release()
		return first
	}
}

// onDone calls f once ctx is done, through the ordered list of the nearest Ctx and, if the standard library derived
// ctx from it, through the world's poll. f may be called twice.
func onDone(ctx context.Context, w World, f func()) (release func()) {
	switch {
	case ctx.Done() == nil:
		return func() {}
	case ctx.Err() != nil:
		f()
		return func() {}
	}
	own, same := Own(ctx)
	checkDeadline(ctx, own)
	h := own.add(&hook{via: ctx, f: f})
	if same {
		return h.remove
	}
	unwatch := w.Watch(ctx, f)
	return func() { h.remove(); unwatch() }
}

// Wake fires t when ctx is done; release takes that back. Both belong to the task that waits.
func Wake(ctx context.Context, w World, t *Token) (release func()) {
	return onDone(ctx, w, func() { w.Unpark(t) })
}

// cancelStep is the caller's cancel function. To a world that explores, cancelling what is done already is a step too.
func (c *Ctx) cancelStep(cause error) {
	if c.Err() == nil || Exploring() == c.world {
		c.world.Point()
	}
	if c.Err() == nil {
		c.Cancel(context.Canceled, cause)
	}
}

func derive(ctx context.Context, w World) *Ctx {
	c := newCtx(ctx, w)
	switch {
	case ctx.Done() == nil: // context.WithoutCancel
		return c
	case ctx.Err() != nil:
		c.Cancel(ctx.Err(), context.Cause(ctx))
		return c
	}
	own, same := Own(ctx)
	checkDeadline(ctx, own)
	h := own.add(&hook{via: ctx, child: c})
	c.atEnd(h.remove)
	if !same {
		c.atEnd(w.Watch(ctx, func() { c.Cancel(ctx.Err(), context.Cause(ctx)) }))
	}
	return c
}

// Own is the nearest Ctx above ctx, and whether ctx ends exactly when it does.
func Own(ctx context.Context) (own *Ctx, same bool) {
	own, _ = ctx.Value(ownKey{}).(*Ctx)
	if own == nil {
		panic("synod: a context of a simulation that does not descend from it")
	}
	return own, ctx.Done() == own.Done()
}

// checkDeadline refuses a deadline that the standard library set: its timer runs on real time.
func checkDeadline(ctx context.Context, own *Ctx) {
	d, ok := ctx.Deadline()
	ownD, ownOK := own.Deadline()
	if ok && !(ownOK && d.Equal(ownD)) {
		panic("synod: context.WithTimeout or WithDeadline inside a simulation; use env.WithTimeout")
	}
}
