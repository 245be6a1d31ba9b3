package registry_test

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
)

// flaw is a bug planted in the likeness below.
type flaw string

const (
	none           flaw = ""
	forgetsTasks   flaw = "does not wait for tasks"
	oldestFirst    flaw = "releases the oldest first"
	stopsReleasing flaw = "stops at the first error of a release"
	cancelsLate    flaw = "cancels when Run waits, not at once"
	deafToBody     flaw = "does not cancel when the body fails"
	swallowsPanic  flaw = "takes a panic for a normal end"
	missesGoexit   flaw = "takes Goexit for a normal end"
	firstErrorOnly flaw = "reports the first error alone, as errgroup"
	reportsEchoes  flaw = "reports cancellations"
	looseEchoes    flaw = "takes whatever is a cancellation too for an echo"
	deafOutside    flaw = "does not report the end of the outer context"
	unshielded     flaw = "releases under the cancelled context"
	releasesTwice  flaw = "releases again what was released early"
	startsLate     flaw = "starts tasks when it is closing"
	acquiresLate   flaw = "acquires when it is closing"
	closesEarly    flaw = "starts nothing once the body has ended"
)

// toy is a small scope that keeps the rules without a flaw.
type toy struct {
	flaw   flaw
	ctx    context.Context
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	stack  []*toyEntry
	errs   []error
	echo   error
	closed bool
	late   bool
}

type toyEntry struct {
	done    chan struct{} // task
	close   func(context.Context) error
	release sync.Once
	err     error
}

func runToy(f flaw) runner {
	return func(ctx context.Context, body func(context.Context, owner) error) error {
		s := &toy{flaw: f}
		s.ctx, s.cancel = env.WithCancelCause(ctx)
		defer s.cancel(nil)
		s.report(body(s.ctx, s), f != deafToBody)
		s.closed = f == closesEarly
		if f == cancelsLate && len(s.errs) > 0 {
			s.cancel(s.errs[0])
		}
		for s.closeOne() {
		}
		if len(s.errs) == 0 && f != deafOutside {
			return s.echo
		}
		if len(s.errs) == 1 {
			return s.errs[0]
		}
		if f == firstErrorOnly && len(s.errs) > 1 {
			return s.errs[0]
		}
		return errors.Join(s.errs...)
	}
}

func (s *toy) closeOne() bool {
	s.mu.Lock()
	n := len(s.stack)
	if n == 0 || s.flaw == stopsReleasing && len(s.errs) > 0 {
		s.mu.Unlock()
		return false
	}
	at := n - 1
	if s.flaw == oldestFirst {
		at = 0
	}
	for i := n - 1; i >= 0 && s.ctx.Err() == nil; i-- { // nothing has failed: tasks come first
		if s.stack[i].done != nil {
			at = i
			break
		}
	}
	e := s.stack[at]
	s.stack = slices.Delete(s.stack, at, at+1)
	s.mu.Unlock()
	switch {
	case e.close != nil:
		ctx := context.WithoutCancel(s.ctx)
		if s.flaw == unshielded {
			ctx = s.ctx
		}
		if err := e.shut(ctx, s.flaw); err != nil {
			s.report(err, true)
		}
	case s.flaw != forgetsTasks:
		<-e.done
	}
	return true
}

func (e *toyEntry) shut(ctx context.Context, f flaw) (err error) {
	if f == releasesTwice {
		e.release = sync.Once{}
	}
	e.release.Do(func() {
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("%v", r)
			}
		}()
		err = e.close(ctx)
	})
	return err
}

func (s *toy) report(err error, cancels bool) {
	if err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil && s.flaw != reportsEchoes && (onlyEcho(err, context.Cause(s.ctx)) || s.flaw == looseEchoes && errors.Is(err, context.Canceled)) {
		s.echo = err
		return
	}
	s.errs = append(s.errs, err)
	if cancels && s.flaw != cancelsLate {
		s.cancel(err)
	}
}

func onlyEcho(err, cause error) bool {
	if err == cause || err == context.Canceled {
		return true
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(j.Unwrap(), func(e error) bool { return !onlyEcho(e, cause) })
	}
	under := errors.Unwrap(err)
	return under != nil && onlyEcho(under, cause)
}

func (s *toy) Go(name string, f func(context.Context) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if (s.closed || s.ctx.Err() != nil) && s.flaw != startsLate {
		s.errs = append(s.errs, &registry.ClosedError{Task: name})
		return
	}
	e := &toyEntry{done: make(chan struct{})}
	s.stack = append(s.stack, e)
	go func() {
		returned := false
		defer close(e.done)
		defer func() {
			r := recover()
			switch {
			case r != nil && s.flaw != swallowsPanic:
				s.report(&registry.PanicError{Task: name, Value: r, Stack: debug.Stack()}, true)
			case r == nil && !returned && s.flaw != missesGoexit:
				s.report(registry.ErrGoexit, true)
			}
		}()
		err := f(s.ctx)
		returned = true
		s.report(err, true)
	}()
}

func (s *toy) Acquire(name string, close func(context.Context) error) (func() error, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil && s.flaw != acquiresLate {
		return nil, context.Cause(s.ctx)
	}
	e := &toyEntry{close: close}
	s.stack = append(s.stack, e)
	return func() error { return e.shut(context.WithoutCancel(s.ctx), none) }, nil
}

// The rules are worth something only if each flaw breaks one.
func TestEachFlawBreaksARule(t *testing.T) {
	for name, rule := range rules {
		require.NoError(t, rule(runToy(none)), "without a flaw: %s", name)
	}
	for _, f := range []flaw{forgetsTasks, oldestFirst, stopsReleasing, cancelsLate, deafToBody, swallowsPanic, missesGoexit, firstErrorOnly,
		reportsEchoes, looseEchoes, deafOutside, unshielded, releasesTwice, startsLate, acquiresLate, closesEarly} {
		t.Run(string(f), func(t *testing.T) {
			var broken []string
			for name, rule := range rules {
				if rule(runToy(f)) != nil {
					broken = append(broken, name)
				}
			}
			require.NotEmpty(t, broken)
			t.Log(broken)
		})
	}
}
