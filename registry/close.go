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
	for e := s.drain(); e != nil; e = s.nextToClose() {
		s.settle(e)
	}
	s.leave()
	complete = true
}

// drain waits until no task is live or the scope is cancelled, closes it to newcomers, and gives the youngest entry.
func (s *Scope) drain() *entry {
	s.mu.Lock()
	s.joining = true
	for s.live > 0 && s.ending.Err() == nil {
		s.park(nil)
		s.mu.Lock()
	}
	first := !s.closing
	s.closing = true
	e := s.top()
	s.mu.Unlock()
	if s.bound != nil && first {
		s.bound.closing.keep(&s.self, done{})
	}
	return e
}

// nextToClose is the youngest entry. When there is none left the scope has ended.
func (s *Scope) nextToClose() *entry {
	s.mu.Lock()
	e := s.top()
	s.mu.Unlock()
	return e
}

// top is nextToClose for who holds mu.
func (s *Scope) top() *entry {
	if s.stack.youngest == nil {
		s.ended = true
	}
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
		s.sim.joins = nil
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
	c.parked, c.want = true, e
	c.parks++
	if s.sim != nil {
		s.parkIn(c)
		return
	}
	if e == nil && s.held > 0 && s.ending.outer.Done() != nil {
		s.parkUntilDone(c)
		return
	}
	c.gate.Add(1)
	s.mu.Unlock()
	c.gate.Wait()
}

// parkUntilDone is park for a wait that the outer context can end. That matters only if there is a resource that must
// be released before an older task can end: tasks are told by the context themselves.
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

// wakeCloser lets the closer go on if it waited for the end of e. The caller holds mu.
func (s *Scope) wakeCloser(e *entry) {
	if c := &s.closer; c.parked && (c.want == e || c.want == nil && s.live == 0) {
		s.wake(c)
	}
}

func (s *Scope) wake(c *closer) {
	c.parked = false
	switch {
	case s.sim != nil:
		s.sim.world.Unpark(s.sim.token)
	case c.wakeup != nil:
		c.wakeup <- struct{}{}
	default:
		c.gate.Done()
	}
}

// heldNow lets a closer that does not look at the outer context do so, because e, just pushed, is a resource. The caller
// holds mu.
func (s *Scope) heldNow(e *entry) {
	if c := &s.closer; e.kind == resource && c.parked && c.want == nil && c.wakeup == nil && s.sim == nil {
		s.wake(c)
	}
}

// ends lets a closer go on that waits for the scope to be cancelled.
func (s *Scope) ends() {
	if s.sim != nil {
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
	for e := w.stack.youngest; e != nil; e = e.older {
		if e.kind != resource {
			n++
			f(n, "the end of task "+e.name)
		}
	}
}

var errStopped = errors.New("registry: the scope is closing")
