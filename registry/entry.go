package registry

import (
	"context"
	"time"
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
// costs one allocation besides the goroutine's.
type entry struct {
	context.Context // set before the task starts; of a resource nil
	scope           *Scope
	name            string
	kind            kind
	ended           bool // under the scope's mu
	code            uintptr
	born            time.Duration // after the scope
	older           *entry        // the scope's stack, under its mu
	younger         *entry
	run             func(ctx context.Context) error
	cancel          context.CancelCauseFunc // of a task with a context of its own
	claim           func(err error) bool    // daemon: takes the error of a start that failed
	done            func(err error)         // Fork: publishes the result
	held            *holding                // of a resource
}

type entryKey struct{}

// Value answers with the entry itself for the registry's key.
func (e *entry) Value(key any) any {
	if _, ok := key.(entryKey); ok {
		return e
	}
	return e.Context.Value(key)
}

// entryOf is the task or body that ctx belongs to, or nil.
func entryOf(ctx context.Context) *entry {
	e, _ := ctx.Value(entryKey{}).(*entry)
	return e
}

// age is how long the scope has been open.
func (s *Scope) age() time.Duration { return s.clock.Since(s.born) }

// push makes e the youngest. The caller holds mu.
func (s *Scope) push(e *entry) {
	e.older = s.youngest
	if e.older != nil {
		e.older.younger = e
	}
	s.youngest = e
	if e.kind == task || e.kind == closingKid {
		s.live++
	}
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
	if e.kind == task || e.kind == closingKid {
		s.live--
	}
	s.wakeCloser(e)
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
