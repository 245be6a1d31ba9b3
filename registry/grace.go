package registry

import (
	"context"
	"errors"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// closeWithin closes on a goroutine of its own and waits for it no longer than the grace, counted from when tasks
// were first told to end.
func (s *Scope) closeWithin() error {
	join := s.launch("closing "+s.self.name, s.close)
	ctx := s.shielded()
	_ = stm.Do(&s.self, func(tx *stm.Tx) error { // until it closes or is cancelled
		tx.Check(s.phase.Get(tx) >= phaseClosing)
		return nil
	})
	at := env.Now(ctx).Add(s.grace)
	inTime, _ := stm.Query(ctx, func(tx *stm.Tx) bool { // cannot fail: ctx does not end
		if s.phase.Get(tx) == phaseClosed {
			return true
		}
		tx.Check(env.Reached(tx, at))
		return false
	})
	if !inTime {
		if stuck := s.handOver(ctx, join); stuck != nil {
			s.emit(eventOverdue, "", stuck, s.grace)
			return errors.Join(stuck, s.result())
		}
		_ = stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(s.phase.Get(tx) == phaseClosed); return nil })
	}
	if join != nil {
		join()
	}
	return s.result()
}

// handOver makes the parent own what is left of the closing. It returns nil if nothing is. ctx does not end.
func (s *Scope) handOver(ctx context.Context, join func()) *StuckError {
	now := env.Now(ctx)
	e := &entry{Context: ctx, name: s.self.name, kind: closingKid, code: s.self.code}
	if s.parent != nil {
		e.scope = s.parent.scope
		e.born = e.scope.age()
		e.scope.mu.Lock()
		e.scope.push(e)
		e.scope.mu.Unlock()
	}
	s.mu.Lock()
	if !s.ended {
		if e.scope != nil {
			s.overdue = e
			e.scope.edge(join)
		}
		stuck := s.stuck(now)
		s.mu.Unlock()
		return stuck
	}
	s.mu.Unlock()
	if e.scope != nil {
		e.scope.mu.Lock()
		e.scope.remove(e)
		e.scope.mu.Unlock()
	}
	return nil
}

// stuck lists what has not ended. The caller holds mu.
func (s *Scope) stuck(now time.Time) *StuckError {
	x := &StuckError{Scope: s.self.path(), Grace: s.grace}
	for e := s.youngest; e != nil; e = e.older {
		if e.kind == resource && !e.held.releasing() {
			continue
		}
		x.Left = append(x.Left, e.describe(now))
	}
	return x
}

// lateFailures are those that Run did not return any more.
func (s *Scope) lateFailures() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.overdue == nil {
		return nil
	}
	return s.failures[s.told:]
}
