package registry

import (
	"context"
	"errors"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// bound is what a scope with a grace has besides.
type bound struct {
	grace   time.Duration
	closing promise[done] // kept by the closer
	closed  promise[done] //
	overdue *entry        // stands in the parent for a closing that outlived Run; under the scope's mu, as told is
	told    int           // how many of the failures Run has returned
}

// done is what a promise gives that only comes true.
type done struct{}

func newBound(grace time.Duration) *bound {
	return &bound{grace: grace, closing: promised[done]("scope.closing"), closed: promised[done]("scope.closed")}
}

// closeWithin closes on a goroutine of its own and waits for it no longer than the grace, counted from when tasks
// were first told to end.
func (s *Scope) closeWithin() error {
	join := s.launch("closing "+s.self.name, s.close)
	ctx := s.shielded()
	_, _ = s.bound.closing.wait(&s.self) // until it closes or is cancelled
	at := env.Now(ctx).Add(s.bound.grace)
	inTime, _ := stm.Query(ctx, func(tx *stm.Tx) bool { // cannot fail: ctx does not end
		if s.bound.closed.poll(tx) != nil {
			return true
		}
		tx.Check(env.Reached(tx, at))
		return false
	})
	if !inTime {
		if stuck := s.handOver(ctx, join); stuck != nil {
			s.emit(eventOverdue, "", stuck, s.bound.grace)
			return errors.Join(stuck, s.result())
		}
		_, _ = s.bound.closed.wait(ctx)
	}
	if join != nil {
		join()
	}
	return s.result()
}

// handOver makes the parent own what is left of the closing. It returns nil if nothing is. ctx does not end.
func (s *Scope) handOver(ctx context.Context, join func()) *StuckError {
	now := s.now()
	e := &entry{name: s.self.name, kind: closingKid, code: s.self.code}
	e.more.Store(&more{ctx: ctx})
	if e.scope = s.above(); e.scope != nil {
		e.born = now
		e.scope.mu.Lock()
		e.scope.push(e)
		e.scope.mu.Unlock()
	}
	s.mu.Lock()
	if !s.ended {
		if e.scope != nil {
			s.bound.overdue = e
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
		e.scope.unlock(false)
	}
	return nil
}

// handBack ends what stands in the parent, which gets the late failures.
func (b *bound) handBack(late error) {
	if late != nil {
		b.overdue.scope.report(b.overdue, late)
	}
	b.overdue.scope.end(b.overdue, late, nil)
}

// stuck lists what has not ended. The caller holds mu.
func (s *Scope) stuck(now time.Duration) *StuckError {
	x := &StuckError{Scope: s.self.path(), Grace: s.bound.grace}
	for e := s.stack.youngest; e != nil; e = e.older {
		if e.kind == resource && !e.more.Load().held.releasing() {
			continue
		}
		x.Left = append(x.Left, e.describe(now))
	}
	return x
}
