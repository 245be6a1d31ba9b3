package registry

import (
	"context"
	"errors"
)

// Handle is an acquired resource. Whoever has the handle may use it; the scope that owns it releases it.
type Handle[T any] struct {
	held  holding
	value T
}

// Acquire opens a resource and gives it to s, which releases it, youngest first, when it closes. open runs under the
// scope's context; close under one that is not cancelled, on whatever goroutine releases. If s is cancelled while open
// runs, what it opened is closed again and Acquire returns a *ClosedError: a value is never lost.
//
// A closing that cancels nothing waits for an open that runs, and so does the end of the task that calls Acquire on another
// scope than its own: an open that may wait for ever needs a limit of its own.
//
// What a task acquires for itself belongs in a scope of its own: in the shared scope it is younger than the task,
// and so released before the task is waited for when the scope is cancelled.
func Acquire[T any](s *Scope, name string, open func(context.Context) (T, error),
	close func(context.Context, T) error) (*Handle[T], error) {
	site := callerPC(1)
	if err := s.admit(name); err != nil {
		return nil, err
	}
	v, err := open(&s.self)
	if err != nil {
		return nil, err
	}
	h := &Handle[T]{value: v}
	h.held.close = func(ctx context.Context) error { return close(ctx, v) }
	h.held.name, h.held.acquired = name, site
	if err := s.hold(&h.held); err != nil {
		return nil, err
	}
	return h, nil
}

// Value is the resource. After its release it panics with a *UseError.
func (h *Handle[T]) Value() T {
	if h.held.state.Load() != owned {
		panic(h.held.misused(callerPC(1)))
	}
	return h.value
}

// Release releases the resource before its scope ends and returns the error of that, or a *PanicError. A later Release
// does nothing and returns nil; one at the same time waits for the first, or for ctx. The close function is shielded
// from the end of ctx, and may itself call Release.
func (h *Handle[T]) Release(ctx context.Context) error { return h.held.release(ctx, callerPC(1)) }

// Move gives the resource to another scope, in which it is the youngest. At no moment do both own it, or none. If to is
// closing or has ended, Move returns a *ClosedError and the owner stays; if the handle is released, ErrReleased.
func (h *Handle[T]) Move(to *Scope) error { return h.held.move(to) }

func (s *Scope) admit(name string) error {
	s.mu.Lock()
	closed := s.mayNot(name, 2)
	s.mu.Unlock()
	if closed != nil {
		return closed
	}
	return nil
}

// hold makes s the owner of what was just opened, or closes it again.
func (s *Scope) hold(h *holding) error {
	e := &entry{scope: s, name: h.name, kind: resource, born: s.now()}
	e.more.Store(&h.more)
	h.more.held, h.owner, h.place = h, s, e
	s.mu.Lock()
	closed := s.refusal(h.name)
	if closed == nil {
		s.push(e)
	}
	e.ended = closed != nil // was never in the stack
	s.unlock(false)
	if closed != nil {
		return errors.Join(closed, h.release(s.shielded(), h.acquired))
	}
	s.emit(eventAcquired, h.name, nil, 0)
	return nil
}
