package registry

import (
	"errors"
	"sync"

	"github.com/synodkit/synod/internal/seam"
)

// closer is how the closing goroutine waits for tasks, without Vars: joining must not look like a conflict to a
// simulation that explores schedules. Its fields are under the scope's mu.
type closer struct {
	parked bool
	deaf   bool           // the end of the outer context does not end the wait
	parks  uint32         // how often it has parked
	want   *entry         // what is waited for; nil is that no task is live, or that the scope is cancelled
	gate   sync.WaitGroup // production, if only the scope itself can end the wait
	wakeup chan struct{}  // production, if the outer context can
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
	if s.bound != nil {
		s.bound.closing.keep(&s.self, done{})
	}
	for e := s.nextToClose(); e != nil; e = s.nextToClose() {
		s.settle(e)
	}
	s.leave()
	complete = true
}

// drain waits until no task is live or the scope is cancelled, and closes it to newcomers.
func (s *Scope) drain() {
	s.mu.Lock()
	s.joining = true
	for s.live > 0 && s.ending.Err() == nil {
		s.park(nil)
		s.mu.Lock()
	}
	s.closing = true
	s.mu.Unlock()
}

// nextToClose is the youngest entry. When there is none left the scope has ended.
func (s *Scope) nextToClose() *entry {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = s.stack.youngest == nil
	return s.stack.youngest
}

// settle ends one entry.
func (s *Scope) settle(e *entry) {
	if e.kind == resource {
		e.more.Load().held.releaseFor(s, e)
		return
	}
	if e.kind == daemon {
		e.more.Load().cancel(errStopped)
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
	if s.sim != nil {
		for _, join := range s.sim.joins {
			join()
		}
	}
	late := s.late()
	if s.tracer.On() {
		s.emit(eventEnded, "", late, s.now()-s.self.born)
	}
	if up := s.above(); up != nil {
		up.mu.Lock()
		up.kids.remove(&s.self)
		up.mu.Unlock()
	}
	s.ending.end(nil)
	if s.bound == nil {
		return
	}
	if s.bound.overdue != nil {
		s.bound.handBack(late)
	}
	s.bound.closed.keep(&s.self, done{})
}

// park waits until e has ended, or with no e until no task is live or the scope is cancelled. It may return early. The
// caller holds mu, which park gives up.
func (s *Scope) park(e *entry) {
	c := &s.closer
	c.parked, c.want, c.deaf = true, e, false
	c.parks++
	switch {
	case s.sim != nil:
		s.parkIn(c)
		return
	case e != nil:
	case s.held == 0:
		c.deaf = true // tasks are told by the context themselves: it matters only if a resource must be released before
	case s.ending.outer.Done() != nil:
		s.parkUntilDone(c)
		return
	}
	c.gate.Add(1)
	s.mu.Unlock()
	c.gate.Wait()
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
	s.sim.token = token
	s.mu.Unlock()
	if want == nil {
		defer seam.Wake(s.ending.ctx, s.sim.world, token)()
	}
	s.sim.world.Park(token)
	c.parked = false
}

// unlock gives up mu after a change, and then lets a parked closer go on if there is a reason: that the scope is
// cancelled, or what has changed in the stack. Not before, because it takes mu at once.
func (s *Scope) unlock(cancelled bool) {
	c := &s.closer
	ready := c.parked && c.want == nil && (s.live == 0 || cancelled || c.deaf && s.held > 0) || c.parked && c.want != nil && c.want.ended
	wakeup := c.wakeup
	c.parked = c.parked && !ready
	s.mu.Unlock()
	switch {
	case !ready:
	case s.sim != nil:
		s.sim.world.Unpark(s.sim.token)
	case wakeup != nil:
		wakeup <- struct{}{}
	default:
		c.gate.Done()
	}
}

// waits names what a parked closer waits for, when a simulation reports a deadlock.
type waits Scope

// Each names the tasks that are left.
func (w *waits) Each(f func(id uint32, label string)) {
	n := uint32(0)
	for e := w.stack.youngest; e != nil; e = e.older {
		if e.kind != resource {
			n++
			f(n, "the end of task "+e.name)
		}
	}
}

var errStopped = errors.New("registry: the scope is closing")
