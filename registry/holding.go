package registry

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
)

// States of a holding. They only grow.
const (
	owned uint32 = iota
	inRelease
	gone
)

// holding is a handle without its type. Its mu is taken before that of a scope, never after.
type holding struct {
	name     string
	acquired uintptr
	close    func(context.Context) error
	state    atomic.Uint32 // written under mu
	more     more          // of its entries

	mu       sync.Mutex
	owner    *Scope // who releases it; changed by move alone
	place    *entry // in the owner's stack
	byScope  string // who released it: the path of a closing scope and the place of its body,
	byCode   uintptr
	byCaller uintptr        // or the place of a call
	over     *promise[done] // made by the first who waits for another's release
}

func (h *holding) releasing() bool { return h.state.Load() == inRelease }

func (h *holding) misused(used uintptr) *UseError {
	h.mu.Lock()
	defer h.mu.Unlock()
	released := "closing of scope " + h.byScope + ", " + codeSite(h.byCode)
	if h.byCaller != 0 {
		released = pcSite(h.byCaller)
	}
	return &UseError{h.name, pcSite(h.acquired), released, pcSite(used)}
}

// release is an early release, at the place by.
func (h *holding) release(ctx context.Context, by uintptr) error {
	h.mu.Lock()
	switch h.state.Load() {
	case gone:
		h.mu.Unlock()
		return nil
	case inRelease:
		return h.await(ctx)
	}
	h.state.Store(inRelease)
	h.byCaller = by
	owner := h.owner
	h.mu.Unlock()
	return h.shut(env.WithoutCancel(ctx), owner)
}

// releaseFor releases h because s closes, unless it has moved elsewhere.
func (h *holding) releaseFor(s *Scope, place *entry) {
	h.mu.Lock()
	switch {
	case h.place != place: // moved away
		h.mu.Unlock()
		return
	case h.state.Load() != owned:
		_ = h.await(s.shielded()) // does not end early
		return
	}
	h.state.Store(inRelease)
	h.byScope, h.byCode = s.self.path(), s.self.code
	h.mu.Unlock()
	ctx := s.shielded()
	if s.bound != nil {
		var cancel context.CancelFunc
		ctx, cancel = seam.WithTimeout(ctx, s.bound.grace)
		defer cancel()
	}
	_ = h.shutReporting(ctx, s)
}

// await waits for the release that somebody else is in. It is entered with mu held, and gives it up.
func (h *holding) await(ctx context.Context) error {
	if h.state.Load() == gone || ctx.Value(closeKey{h}) != nil {
		h.mu.Unlock()
		return nil
	}
	if h.over == nil {
		over := promised[done](h.name + ".released")
		h.over = &over
	}
	over := h.over
	h.mu.Unlock()
	_, err := over.wait(ctx)
	return err
}

// closeKey is how a close function that calls Release on its own handle is recognised.
type closeKey struct{ h *holding }

type closeCtx struct {
	context.Context
	h *holding
}

// Value answers for the handle that is being closed.
func (c closeCtx) Value(key any) any {
	if k, _ := key.(closeKey); k.h == c.h {
		return c.h
	}
	return c.Context.Value(key)
}

// shutReporting is shut for a closing scope, whose failure an error is.
func (h *holding) shutReporting(ctx context.Context, s *Scope) (err error) {
	defer func() {
		if err != nil {
			s.fail(h.name, &taskError{"releasing " + h.name, err})
		}
	}()
	err = ErrGoexit // unless shut returns
	err = h.shut(ctx, s)
	return err
}

// shut runs the close function and takes h off its owner's stack, whatever the function does.
func (h *holding) shut(ctx context.Context, owner *Scope) (err error) {
	returned := false
	defer func() {
		if !returned {
			err = crashed(h.place, recover())
		}
		h.finish(ctx, owner, err)
	}()
	err = h.close(closeCtx{ctx, h})
	returned = true
	return err
}

func (h *holding) finish(ctx context.Context, owner *Scope, err error) {
	if owner.tracer.On() {
		owner.emit(eventReleased, h.name, err, owner.now()-h.place.born)
	}
	h.mu.Lock()
	h.state.Store(gone)
	over := h.over
	owner.mu.Lock()
	owner.remove(h.place)
	owner.unlock(false)
	h.mu.Unlock()
	if over != nil {
		over.keep(ctx, done{})
	}
}

func (h *holding) move(to *Scope) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state.Load() != owned {
		return ErrReleased
	}
	from, old := h.owner, h.place
	if from == to {
		return nil
	}
	e := &entry{scope: to, name: h.name, kind: resource, born: old.born}
	e.more.Store(&h.more)
	to.mu.Lock()
	closed := to.refusal(h.name) // also if to has ended: it need not be the mover's own
	if closed == nil {
		to.push(e)
	}
	to.unlock(false)
	if closed != nil {
		return closed
	}
	h.owner, h.place = to, e
	from.mu.Lock()
	from.remove(old)
	from.unlock(false)
	return nil
}
