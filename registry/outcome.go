package registry

import (
	"context"
	"errors"
	"reflect"
)

// outcome is what a scope has to report, beyond success. Its fields are under the scope's mu.
type outcome struct {
	failures []error      // in order of appearance
	echo     error        // a cancellation from outside, as somebody reported it
	refused  *ClosedError // the one among failures that stands for all refused tasks
}

// trouble is the scope's outcome, made when there is something to report. The caller holds mu.
func (s *Scope) trouble() *outcome {
	if s.outcome == nil {
		s.outcome = new(outcome)
	}
	return s.outcome
}

// report decides what err of e means: the echo of a cancellation, or a failure that cancels the scope.
func (s *Scope) report(e *entry, err error) {
	if s.echoed.Load() && e != &s.self && e.Err() != nil && plain(err) {
		return // a scope of many tasks that is cancelled: none has to wait for the others
	}
	s.mu.Lock()
	o := s.trouble()
	if e.Err() != nil && o.echoes(err, context.Cause(e)) {
		if s.ctx.Err() != nil && (o.echo == nil || e == &s.self) {
			o.echo = err
			s.echoed.Store(true)
		}
		s.mu.Unlock()
		return
	}
	o.failures = append(o.failures, err)
	s.mu.Unlock()
	name := e.name
	if e.kind == body {
		name = ""
	}
	s.emit(eventFailed, name, err, 0)
	s.end(err)
}

// plain reports whether err is a task's cancellation and nothing else.
func plain(err error) bool {
	t, ok := err.(*taskError)
	return ok && t.err == context.Canceled
}

// refuse records that a task was not started. One error stands for all of them.
func (s *Scope) refuse(closed *ClosedError) {
	s.mu.Lock()
	o := s.trouble()
	if o.refused == nil {
		o.refused = closed
		o.failures = append(o.failures, closed)
	}
	o.refused.Refused++
	s.mu.Unlock()
	s.emit(eventRefused, closed.Task, nil, 0)
}

// failRelease records the error of a release by the closing scope.
func (s *Scope) failRelease(name string, err error) {
	s.mu.Lock()
	o := s.trouble()
	o.failures = append(o.failures, &taskError{"releasing " + name, err})
	s.mu.Unlock()
	s.emit(eventFailed, name, err, 0)
	s.end(err)
}

// echoes reports whether err says nothing but that the scope, or the task, was cancelled: every leaf is
// a cancellation, the cause of this one, or a failure that is reported already. An error that joins a cancellation with
// something else is no echo.
func (o *outcome) echoes(err, cause error) bool {
	if same(err, cause) {
		return true
	}
	for _, f := range o.failures {
		if same(err, f) {
			return true
		}
	}
	switch x := err.(type) {
	case interface{ Unwrap() []error }:
		errs := x.Unwrap()
		for _, e := range errs {
			if !o.echoes(e, cause) {
				return false
			}
		}
		return len(errs) > 0
	case interface{ Unwrap() error }:
		if under := x.Unwrap(); under != nil {
			return o.echoes(under, cause)
		}
	}
	return errors.Is(err, context.Canceled)
}

func same(a, b error) bool {
	return a != nil && b != nil && reflect.TypeOf(a).Comparable() && a == b
}

// result is what Run returns.
func (s *Scope) result() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outcome
	if o == nil {
		return nil
	}
	if s.bound != nil {
		s.bound.told = len(o.failures)
	}
	if len(o.failures) == 0 {
		return o.echo
	}
	return joined(o.failures)
}

// lateFailures are those that Run did not return any more.
func (s *Scope) lateFailures() []error {
	if s.bound == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bound.overdue == nil || s.outcome == nil {
		return nil
	}
	return s.outcome.failures[s.bound.told:]
}

func joined(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
