package registry

import (
	"context"
	"reflect"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// Go starts f as a task of the scope. Its failure, an error, a panic or Goexit, cancels the scope at once and is
// returned by [Run]. The scope waits for it: what serves until the end belongs in [Scope.Daemon].
//
// In a scope that is cancelled or closing f does not run, and Run returns a *ClosedError. In a scope that has ended Go
// panics with a *UseError: somebody kept the scope who does not belong to it.
func (s *Scope) Go(name string, f func(ctx context.Context) error) {
	e := s.entry()
	e.scope, e.name, e.kind, e.code, e.run = s, name, task, reflect.ValueOf(f).Pointer(), f
	if closed := s.place(e, 1); closed != nil {
		s.refuse(closed)
		return
	}
	turn := s.work
	if s.sim != nil { // there it matters which goroutine runs which task
		e.run, turn = nil, func() { e.turn(f, nil, nil) }
	}
	s.start(e, turn)
}

// entry is a new one. The first is a part of the scope, because many scopes have one task.
func (s *Scope) entry() *entry {
	if s.one.Load() || !s.one.CompareAndSwap(false, true) {
		return new(entry)
	}
	return &s.first
}

// entryWithContext is a new entry of a task that can be cancelled alone. [Scope.spawn] must follow.
func (s *Scope) entryWithContext(k kind, name string, code uintptr) *entry {
	m := new(more)
	m.ctx, m.cancel = seam.WithCancel(s.ending.context())
	e := &entry{scope: s, name: name, kind: k, code: code}
	e.more.Store(m)
	return e
}

// spawn starts the task of an entry with a context, unless the scope is closing. It is called by a function of the
// user's choice. For claim and done see [entry.turn].
func (s *Scope) spawn(e *entry, run func(context.Context) error, claim func(error) bool, done func(error)) *ClosedError {
	if closed := s.place(e, 2); closed != nil {
		e.more.Load().cancel(nil)
		return closed
	}
	s.start(e, func() { e.turn(run, claim, done) })
	return nil
}

// place pushes the entry of a task or daemon, unless the scope is closing. skip is the number of frames between the
// caller's user and the caller.
func (s *Scope) place(e *entry, skip int) *ClosedError {
	s.mu.Lock()
	if closed := s.mayNot(e.name, skip+1); closed != nil {
		s.mu.Unlock()
		return closed
	}
	e.born = s.stamp()
	s.push(e)
	if e.run != nil && s.pending == nil && s.sim == nil {
		s.pending = e
		if s.work == nil {
			s.work = s.takeTurn
		}
	}
	s.mu.Unlock()
	return nil
}

// stampsMax bounds how many tasks in a row share a time of birth.
const stampsMax = 16

// stamp is the time, read from the clock unless the task before has not begun to run yet: then it is the same for all
// purposes, and reading it would be a tenth of what a task costs. The caller holds mu.
func (s *Scope) stamp() time.Duration {
	if last := s.stack.youngest; s.pending != nil && s.stamps < stampsMax && last.kind == task {
		s.stamps++
		return last.born
	}
	s.stamps = 0
	return s.now()
}

// start lets the task of e run.
func (s *Scope) start(e *entry, turn func()) {
	s.emit(eventStarted, e.name, nil, 0)
	s.edge(s.launch(e.name, turn))
}

// takeTurn is what the goroutines of [Scope.Go] run in production: the oldest task that has not begun. There are as
// many of them as there are such tasks. So they need no closure of their own.
func (s *Scope) takeTurn() {
	s.mu.Lock()
	e := s.pending
	run := e.run
	e.run = nil
	for s.pending = e.younger; s.pending != nil && s.pending.run == nil; {
		s.pending = s.pending.younger
	}
	s.mu.Unlock()
	e.turn(run, nil, nil)
}

// launch starts a goroutine, or a task of the simulation, whose end join waits for. It is the only place where one
// starts.
func (s *Scope) launch(name string, f func()) (join func()) {
	if s.sim == nil {
		go f()
		return nil
	}
	return s.sim.world.Spawn(name, f)
}

// edge keeps a join for when s has ended: the ends of tasks come before the end of Run, which a simulation must know.
func (s *Scope) edge(join func()) {
	if join == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sim.joins = append(s.sim.joins, join)
}

// turn is a task from start to end. claim, if there is one, takes an error that is none of the scope's, unless the task
// crashed; done publishes the result once the scope knows it.
func (e *entry) turn(run func(ctx context.Context) error, claim func(error) bool, done func(error)) {
	var err error
	returned := false
	defer func() {
		s := e.scope
		switch {
		case !returned:
			err = crashed(e, recover())
		case err == context.Canceled && s.outcome.Load() != nil && e.Err() != nil && claim == nil && done == nil:
			// nobody wants to know: a scope of many tasks that is cancelled
		case err != nil:
			err = &taskError{e.name, err}
		}
		taken := claim != nil && claim(err)
		if err != nil && err != context.Canceled && !(taken && returned) {
			s.report(e, err)
		}
		s.end(e, err, done)
	}()
	err = run(e)
	returned = true
}

// end takes a task off the stack, after all is reported: the scope outlives the report.
func (s *Scope) end(e *entry, err error, done func(error)) {
	if s.tracer.On() {
		s.emit(eventEnded, e.name, err, s.now()-e.born)
	}
	if done != nil {
		done(err)
	}
	if m := e.more.Load(); m != nil && m.cancel != nil {
		m.cancel(nil)
	}
	s.mu.Lock()
	s.remove(e)
	s.unlock(false)
}
