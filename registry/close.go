package registry

import (
	"context"
	"errors"
	"sync"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// phase is how far a closing has come, for who waits for it with a grace.
type phase uint8

const (
	phaseDraining phase = iota
	phaseClosing
	phaseClosed
)

// closer is how the closing goroutine waits for tasks, without Vars: joining must not look like a conflict to a
// simulation that explores schedules. Its fields are under the scope's mu.
type closer struct {
	parked bool
	want   *entry        // what is waited for; nil is that no task is live, or that the scope is cancelled
	cond   sync.Cond     // production, if nothing outside can end the wait
	wakeup chan struct{} // production, if the outer context can
	token  *seam.Token   // simulation
}

// close ends everything the scope owns. It runs on Run's goroutine, or with a grace on one of its own.
func (s *Scope) close() {
	complete := false
	defer func() {
		if complete {
			return
		}
		if r := recover(); r != nil {
			panic(r) // the simulation has ended
		}
		s.close() // a close function has called Goexit: the rest is closed all the same
	}()
	s.drain()
	for e := s.nextToClose(); e != nil; e = s.nextToClose() {
		s.settle(e)
	}
	s.leave()
	complete = true
}

// drain waits until no task is live or the scope is cancelled, and closes it to newcomers.
func (s *Scope) drain() {
	s.mu.Lock()
	for s.live > 0 && s.self.Err() == nil {
		s.park(nil)
		s.mu.Lock()
	}
	first := !s.closing
	s.closing = true
	s.mu.Unlock()
	if s.phase != nil && first {
		s.enter(phaseClosing)
	}
}

func (s *Scope) enter(p phase) {
	_ = stm.Do(s.shielded(), func(tx *stm.Tx) error { s.phase.Set(tx, p); return nil }) // cannot fail: it never waits
}

// nextToClose is the youngest entry. When there is none left the scope has ended.
func (s *Scope) nextToClose() *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.youngest == nil {
		s.ended = true
	}
	return s.youngest
}

// settle ends one entry.
func (s *Scope) settle(e *entry) {
	if e.kind == resource {
		e.held.releaseFor(s, e)
		return
	}
	if e.kind == daemon {
		e.cancel(errStopped)
	}
	s.mu.Lock()
	if e.ended {
		s.mu.Unlock()
		return
	}
	s.park(e)
}

// leave takes the ended scope out of the tree.
func (s *Scope) leave() {
	for _, join := range s.joins {
		join()
	}
	s.joins = nil
	late := s.lateFailures()
	if s.tracer.On() {
		s.emit(eventEnded, "", errors.Join(late...), s.age())
	}
	if s.parent != nil {
		s.parent.scope.removeKid(s)
	}
	s.cancel(nil)
	if s.overdue != nil {
		s.overdue.end(joined(late), false)
	}
	if s.phase != nil {
		s.enter(phaseClosed)
	}
}

// park waits until e has ended, or with no e until no task is live or the scope is cancelled. It may return early. The
// caller holds mu, which park gives up.
func (s *Scope) park(e *entry) {
	c := &s.closer
	c.parked, c.want = true, e
	if s.world != nil {
		s.parkIn(c)
		return
	}
	if e == nil && s.outside {
		s.parkUntilDone(c)
		return
	}
	for c.parked {
		c.cond.Wait()
	}
	s.mu.Unlock()
}

// parkUntilDone is park for a wait that the outer context can end.
func (s *Scope) parkUntilDone(c *closer) {
	wakeup := make(chan struct{}, 1)
	c.wakeup = wakeup
	s.mu.Unlock()
	select {
	case <-wakeup:
	case <-s.self.Done():
	}
	s.mu.Lock()
	c.parked, c.wakeup = false, nil
	s.mu.Unlock()
}

func (s *Scope) parkIn(c *closer) {
	token := &seam.Token{On: (*waits)(s)}
	want := c.want
	c.token = token
	s.mu.Unlock()
	if want == nil {
		defer seam.Wake(s.self.Context, s.world, token)()
	}
	s.world.Park(token)
	c.parked = false
}

// wakeCloser lets the closer go on if it waited for the end of e. The caller holds mu.
func (s *Scope) wakeCloser(e *entry) {
	if c := &s.closer; c.parked && (c.want == e || c.want == nil && s.live == 0) {
		s.wake(c)
	}
}

func (s *Scope) wake(c *closer) {
	c.parked = false
	switch {
	case s.world != nil:
		s.world.Unpark(c.token)
	case c.wakeup != nil:
		c.wakeup <- struct{}{}
	default:
		c.cond.Signal()
	}
}

// end cancels the scope for its failure err.
func (s *Scope) end(err error) {
	s.cancel(err)
	if s.world != nil {
		return // the closer waits for the context too
	}
	s.mu.Lock()
	if c := &s.closer; c.parked && c.want == nil {
		s.wake(c)
	}
	s.mu.Unlock()
}

// waits names what a parked closer waits for, when a simulation reports a deadlock.
type waits Scope

// Each names the tasks that are left.
func (w *waits) Each(f func(id uint32, label string)) {
	n := uint32(0)
	for e := w.youngest; e != nil; e = e.older {
		if e.kind != resource {
			n++
			f(n, "the end of task "+e.name)
		}
	}
}

var errStopped = errors.New("registry: the scope is closing")

// result is what Run returns.
func (s *Scope) result() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.told = len(s.failures)
	if len(s.failures) == 0 {
		return s.echo
	}
	return joined(s.failures)
}

func joined(errs []error) error {
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

var _ context.Context = (*entry)(nil)
