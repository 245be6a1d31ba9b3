package registry

import (
	"context"
	"errors"

	"github.com/synodkit/synod/env"
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
// simulation that explores schedules.
type closer struct {
	parked bool
	want   *entry        // what is waited for; nil is that no task is live
	wakeup chan struct{} // production
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
	s.emit(eventEnded, "", errors.Join(late...), env.Now(s.shielded()).Sub(s.born))
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
	if c.wakeup == nil {
		c.wakeup = make(chan struct{}, 1)
	}
	s.mu.Unlock()
	if e != nil {
		<-c.wakeup
		return
	}
	select {
	case <-c.wakeup:
	case <-s.self.Done():
		s.mu.Lock()
		defer s.mu.Unlock()
		if !c.parked { // woken as well
			<-c.wakeup
		}
		c.parked = false
	}
}

func (s *Scope) parkIn(c *closer) {
	token := &seam.Token{On: (*waits)(s)}
	c.token = token
	want := c.want
	s.mu.Unlock()
	if want == nil {
		defer seam.Wake(s.self.Context, s.world, token)()
	}
	s.world.Park(token)
	c.parked = false
}

// wakeCloser lets the closer go on if it waited for the end of e. The caller holds mu.
func (s *Scope) wakeCloser(e *entry) {
	c := &s.closer
	if !c.parked || c.want != e && (c.want != nil || s.live > 0) {
		return
	}
	c.parked = false
	if s.world != nil {
		s.world.Unpark(c.token)
		return
	}
	c.wakeup <- struct{}{}
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
