package registry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/env"
)

type kind uint8

const (
	body kind = iota
	task
	daemon
	resource
	closingKid // a nested scope whose closing outlived its grace
)

func (k kind) String() string {
	return [...]string{"body", "task", "daemon", "resource", "closing"}[k]
}

// entry is one place in a scope's stack. That of a task is also the context the task runs under, so that starting one
// costs one allocation.
//
// An entry leads to nothing that its task holds, neither the function that it runs nor what that waits for: who keeps
// a scope to picture it must not keep the runtime from finding a task that nobody can wake.
type entry struct {
	scope   *Scope
	name    string
	kind    kind
	ended   bool // under the scope's mu
	code    uintptr
	born    time.Duration                   // after the scope
	older   *entry                          // the scope's stack, under its mu
	younger *entry                          //
	run     func(ctx context.Context) error // of a task whose goroutine has not begun; under the scope's mu
	more    atomic.Pointer[more]            // nil for a plain task
}

// more is what only some entries have.
type more struct {
	ctx    context.Context         // nil is the scope's
	cancel context.CancelCauseFunc // of a task with a context of its own
	held   *holding                // of a resource
}

// under is the context that e adds itself to.
func (e *entry) under() context.Context {
	if m := e.more.Load(); m != nil && m.ctx != nil {
		return m.ctx
	}
	return e.scope.ctx
}

// Deadline, Done and Err are those of the context below.
func (e *entry) Deadline() (time.Time, bool) { return e.under().Deadline() }
func (e *entry) Done() <-chan struct{}       { return e.under().Done() }
func (e *entry) Err() error                  { return e.under().Err() }

type entryKey struct{}

// Value answers with the entry itself for the registry's key.
func (e *entry) Value(key any) any {
	if _, ok := key.(entryKey); ok {
		return e
	}
	return e.under().Value(key)
}

// entryOf is the task or body that ctx belongs to, or nil.
func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// age is how long the scope has been open.
func (s *Scope) age() time.Duration { return env.ClockOf(s.ctx).Since(s.born) }

// push makes e the youngest. The caller holds mu.
func (s *Scope) push(e *entry) {
	e.older = s.youngest
	if e.older != nil {
		e.older.younger = e
	}
	s.youngest = e
	s.count(e, 1)
	s.heldNow(e)
}

// remove takes e out of the stack and lets the closer go on if it waited for that. The caller holds mu.
func (s *Scope) remove(e *entry) {
	if e.ended {
		return
	}
	e.ended = true
	if e.younger != nil {
		e.younger.older = e.older
	} else {
		s.youngest = e.older
	}
	if e.older != nil {
		e.older.younger = e.younger
	}
	e.older, e.younger = nil, nil
	s.count(e, -1)
	s.wakeCloser(e)
}

func (s *Scope) count(e *entry, n int32) {
	switch e.kind {
	case task, closingKid:
		s.live += n
	case resource:
		s.held += n
	}
}

// Path names where ctx runs: the scopes and tasks from the root down, joined by slashes. Unnamed ones are left out.
func Path(ctx context.Context) string {
	e := entryOf(ctx)
	if e == nil {
		return ""
	}
	return e.path()
}

func (e *entry) path() string {
	var up string
	switch {
	case e.kind != body:
		up = e.scope.self.path()
	case e.scope.parent != nil:
		up = e.scope.parent.path()
	}
	if up == "" || e.name == "" {
		return up + e.name
	}
	return up + "/" + e.name
}
