package registry

import (
	"context"
	"reflect"

	"github.com/synodkit/synod/internal/seam"
)

// Go starts f as a task of the scope. Its failure, an error, a panic or Goexit, cancels the scope at once and is
// returned by [Run]. The scope waits for it: what serves until the end belongs in [Scope.Daemon].
//
// In a scope that is cancelled or closing f does not run, and Run returns a *ClosedError. In a scope that has ended Go
// panics with a *UseError: somebody kept the scope who does not belong to it.
func (s *Scope) Go(name string, f func(ctx context.Context) error) {
	e := &entry{Context: s.self.Context, scope: s, name: name, kind: task, code: reflect.ValueOf(f).Pointer(), run: f}
	if closed := s.start(e); closed != nil {
		s.refuse(closed)
	}
}

// start pushes e and lets it run, unless the scope is closing.
func (s *Scope) start(e *entry) *ClosedError {
	e.born = s.age()
	s.mu.Lock()
	if closed := s.mayNot(e.name, 2); closed != nil {
		s.mu.Unlock()
		return closed
	}
	s.push(e)
	s.mu.Unlock()
	s.emit(eventStarted, e.name, nil, 0)
	s.edge(s.launch(e.name, e.turn))
	return nil
}

// launch starts a goroutine, or a task of the simulation, whose end join waits for. It is the only place where one
// starts.
func (s *Scope) launch(name string, f func()) (join func()) {
	if s.world == nil {
		go f()
		return nil
	}
	return s.world.Spawn(name, f)
}

// edge keeps a join for when s has ended: the ends of tasks come before the end of Run, which a simulation must know.
func (s *Scope) edge(join func()) {
	if join == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joins = append(s.joins, join)
}

// turn is a task from start to end.
func (e *entry) turn() {
	var err error
	returned := false
	defer func() {
		if !returned {
			r := recover()
			if e.scope.world != nil && seam.IsKill(r) {
				panic(r)
			}
			err = crashed(e, r)
		} else if err != nil {
			err = &taskError{e.name, err}
		}
		e.end(err, !returned)
	}()
	err = e.run(e)
	returned = true
}

// end reports how a task ended, and only then takes it off the stack: the scope outlives the report.
func (e *entry) end(err error, crash bool) {
	s := e.scope
	taken := e.claim != nil && e.claim(err)
	if err != nil && (crash || !taken) {
		s.report(e, err)
	}
	if s.tracer.On() {
		s.emit(eventEnded, e.name, err, s.age()-e.born)
	}
	if e.done != nil {
		e.done(err)
	}
	if e.cancel != nil {
		e.cancel(nil)
	}
	s.mu.Lock()
	s.remove(e)
	s.mu.Unlock()
}

// report decides what err of e means: the echo of a cancellation, or a failure that cancels the scope.
func (s *Scope) report(e *entry, err error) {
	s.mu.Lock()
	if e.Err() != nil && s.echoes(err, context.Cause(e)) {
		if s.self.Err() != nil && (s.echo == nil || e == &s.self) {
			s.echo = err
		}
		s.mu.Unlock()
		return
	}
	s.failures = append(s.failures, err)
	s.mu.Unlock()
	name := e.name
	if e.kind == body {
		name = ""
	}
	s.emit(eventFailed, name, err, 0)
	s.end(err)
}

// refuse records that a task was not started. One error stands for all of them.
func (s *Scope) refuse(closed *ClosedError) {
	s.mu.Lock()
	first := s.refused == nil
	if first {
		s.refused = closed
		s.failures = append(s.failures, closed)
	}
	s.refused.Refused++
	s.mu.Unlock()
	s.emit(eventRefused, closed.Task, nil, 0)
}
