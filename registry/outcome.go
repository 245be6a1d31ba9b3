package registry

import (
	"context"
	"errors"
	"reflect"
	"slices"
)

// outcome is what a scope has to report, beyond success. Its fields are under the scope's mu.
type outcome struct {
	failures []error      // in order of appearance
	echo     error        // a cancellation from outside, as somebody reported it
	refused  *ClosedError // the one among failures that stands for all refused tasks; others have it too
	refusals int          // how many it stands for
}

// trouble is the scope's outcome, made when there is something to report. The caller holds mu.
func (s *Scope) trouble() *outcome {
	o := s.outcome.Load()
	if o == nil {
		o = new(outcome)
		s.outcome.Store(o)
	}
	return o
}

// report decides what err of e means: the echo of a cancellation, or a failure that cancels the scope.
func (s *Scope) report(e *entry, err error) {
	s.mu.Lock()
	echo := e.Err() != nil && s.outcome.Load().echoes(err, context.Cause(e))
	if echo && s.ending.Err() != nil { // and not that of e alone
		if o := s.trouble(); o.echo == nil || e == &s.self {
			o.echo = err
		}
	}
	s.mu.Unlock()
	switch {
	case echo:
	case e == &s.self:
		s.fail("", err)
	default:
		s.fail(e.name, err)
	}
}

// fail records a failure and cancels the scope for it.
func (s *Scope) fail(name string, err error) {
	s.mu.Lock()
	o := s.trouble()
	o.failures = append(o.failures, err)
	s.mu.Unlock()
	s.emit(eventFailed, name, err, 0)
	s.ending.end(err)
	if s.sim != nil {
		return // a closer waits for the context itself
	}
	s.mu.Lock()
	s.unlock(true)
}

// refuse records that a task was not started. One error stands for all of them.
func (s *Scope) refuse(closed *ClosedError) {
	s.mu.Lock()
	o := s.trouble()
	if o.refused == nil {
		o.refused = closed
		o.failures = append(o.failures, closed)
	}
	o.refusals++
	s.mu.Unlock()
	s.emit(eventRefused, closed.Task, nil, 0)
}

// echoes reports whether err says nothing but that the scope, or the task, was cancelled: every leaf is
// a cancellation, the cause of this one, or a failure that is reported already. An error that joins a cancellation with
// something else is no echo, nor is a panic with a cancellation as its value. Without an outcome nothing is reported yet.
func (o *outcome) echoes(err, cause error) bool {
	if same(err, cause) {
		return true
	}
	if o != nil && slices.ContainsFunc(o.failures, func(f error) bool { return same(err, f) }) {
		return true
	}
	switch x := err.(type) {
	case *PanicError: // whatever its value is
		return false
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
	return a != nil && b != nil && reflect.ValueOf(a).Comparable() && a == b
}

// since are the failures from the nth on, the refusals counted.
func (o *outcome) since(n int) []error {
	errs := slices.Clone(o.failures[n:])
	for i, err := range errs {
		if err == error(o.refused) {
			all := *o.refused
			all.Refused = o.refusals
			errs[i] = &all
		}
	}
	return errs
}

// result is what Run returns.
func (s *Scope) result() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outcome.Load()
	if o == nil {
		return nil
	}
	if s.bound != nil {
		s.bound.told = len(o.failures)
	}
	if len(o.failures) == 0 {
		return o.echo
	}
	return joined(o.since(0))
}

// late are the failures that Run did not return any more, because the grace was over.
func (s *Scope) late() error {
	if s.bound == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.outcome.Load()
	if s.bound.overdue == nil || o == nil {
		return nil
	}
	return joined(o.since(s.bound.told))
}

func joined(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}
