package registry

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/internal/seam/waitlist"
)

// ending is the end of a scope's own context. That is made when somebody asks for more of it than whether it has ended,
// or ends it with a cause: a scope whose tasks only compute never pays for one.
type ending struct {
	outer  context.Context // Run's
	state  atomic.Uint32
	mu     sync.Mutex      // of the making; taken after any other lock of a scope, and the child's before its parent's
	ctx    context.Context // once made
	cancel context.CancelCauseFunc
}

const (
	unmade    uint32 = iota
	cancelled        // without a cause
	made
)

// context is the context under all that the scope starts.
func (n *ending) context() context.Context {
	if n.state.Load() == made {
		return n.ctx
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.state.Load() == made {
		return n.ctx
	}
	outer := n.outer
	if n.state.Load() == cancelled {
		outer = env.WithoutCancel(outer) // whatever has become of it since
	}
	n.ctx, n.cancel = seam.WithCancel(outer)
	if !n.state.CompareAndSwap(unmade, made) {
		n.cancel(nil)
		n.state.Store(made)
	}
	return n.ctx
}

// Err is that of context, which it does not make.
func (n *ending) Err() error {
	switch n.state.Load() {
	case made:
		return n.ctx.Err()
	case cancelled:
		return context.Canceled
	}
	return n.outer.Err()
}

// end cancels context. The first cause counts.
func (n *ending) end(cause error) {
	if cause == nil && n.outer.Err() == nil && n.state.CompareAndSwap(unmade, cancelled) {
		return
	}
	n.context()
	n.cancel(cause)
}

// under is the context that e adds itself to.
func (e *entry) under() context.Context {
	if own := e.own(); own != nil {
		return own
	}
	return e.scope.ending.context()
}

// own is the context of e alone, or nil.
func (e *entry) own() context.Context {
	if m := e.more.Load(); m != nil {
		return m.ctx
	}
	return nil
}

// Deadline, Done and Err are those of the context below.
func (e *entry) Deadline() (time.Time, bool) { return e.under().Deadline() }
func (e *entry) Done() <-chan struct{}       { return e.under().Done() }
func (e *entry) Err() error {
	if own := e.own(); own != nil {
		return own.Err()
	}
	return e.scope.ending.Err()
}

type entryKey struct{}

// Value answers with the entry itself for the registry's key, and with its waits for that of the engine.
func (e *entry) Value(key any) any {
	switch key.(type) {
	case entryKey:
		return e
	case waitlist.Key:
		return e.waiting()
	}
	return e.under().Value(key)
}

// entryOf is the task or body that ctx belongs to, or nil.
func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

var _ context.Context = (*entry)(nil)
