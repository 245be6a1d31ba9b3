package registry

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/internal/seam/waitlist"
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
// costs one allocation. The one of a body stands among the nested scopes of the scope above.
//
// An entry leads to nothing that its task holds, neither the function that it runs nor what that waits for: who keeps
// a scope to picture it must not keep the runtime from finding a task that nobody can wake.
type entry struct {
	scope   *Scope
	name    string
	kind    kind
	ended   bool // under the scope's mu
	code    uintptr
	born    time.Duration                   // by the clock of the world
	older   *entry                          // in its list, under that one's mu
	younger *entry                          //
	run     func(ctx context.Context) error // of a task whose goroutine has not begun; under the scope's mu
	more    atomic.Pointer[more]            // nil for a plain task that has not waited yet
}

// more is what only some entries have.
type more struct {
	ctx    context.Context         // nil is the scope's
	cancel context.CancelCauseFunc // of a task with a context of its own
	held   *holding                // of a resource
	result uintptr                 // the address of the Var that this task alone writes, when it ends or is ready
	waits  waitlist.List           // the transactions that are parked under the entry
}

// waiting is e's list of parked transactions.
func (e *entry) waiting() *waitlist.List {
	m := e.more.Load()
	if m == nil {
		e.more.CompareAndSwap(nil, new(more))
		m = e.more.Load()
	}
	return &m.waits
}

// list is a list of entries, in order of age.
type list struct{ youngest *entry }

func (l *list) push(e *entry) {
	if e.older = l.youngest; e.older != nil {
		e.older.younger = e
	}
	l.youngest = e
}

func (l *list) remove(e *entry) {
	if e.younger != nil {
		e.younger.older = e.older
	} else {
		l.youngest = e.older
	}
	if e.older != nil {
		e.older.younger = e.younger
	}
	e.older, e.younger = nil, nil
}

// push makes e the youngest. The caller holds mu, and gives it up with unlock if e may be a resource.
func (s *Scope) push(e *entry) {
	s.stack.push(e)
	s.count(e, 1)
}

// remove takes e out of the stack. The caller holds mu, and gives it up with unlock.
func (s *Scope) remove(e *entry) {
	if e.ended {
		return
	}
	e.ended = true
	s.stack.remove(e)
	s.count(e, -1)
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
	default:
		up = Path(e.scope.ending.outer)
	}
	if up == "" || e.name == "" {
		return up + e.name
	}
	return up + "/" + e.name
}

func (e *entry) label() string {
	if p := e.path(); p != "" {
		return p
	}
	return "unnamed scope"
}
