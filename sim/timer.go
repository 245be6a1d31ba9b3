package sim

import (
	"container/heap"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// timer is an instant at which a token is fired or a task is started. Timers of one instant all become ready together,
// so their order is a choice of the scheduler.
type timer struct {
	at    time.Duration
	num   int64
	token *seam.Token
	fire  func()
	task  *Task // of fire
	place int   // in the heap, or -1

	beside bool // an observer's
}

type timers []*timer

func (h timers) Len() int { return len(h) }
func (h timers) Less(i, j int) bool {
	return h[i].at < h[j].at || h[i].at == h[j].at && h[i].num < h[j].num
}

func (h timers) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is for container/heap.
func (h *timers) Push(x any) {
	t := x.(*timer)
	t.place = len(*h)
	*h = append(*h, t)
}

// Pop is for container/heap.
func (h *timers) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.place = -1
	return t
}

// drop takes t out, if it is still there.
func (h *timers) drop(t *timer) bool {
	if t.place < 0 {
		return false
	}
	heap.Remove(h, t.place)
	return true
}

// drop takes t out, if it is still there.
func (e *engine) drop(t *timer) {
	if e.timers.drop(t) && t.beside {
		e.asideTimers--
	}
}

func (e *engine) add(t *timer) *timer {
	if t.beside {
		e.asideTimers++
	}
	e.lastTime++
	t.num, t.at = e.lastTime, max(t.at, e.now)
	heap.Push(&e.timers, t)
	return t
}

// After runs fire as a task of its own when d has passed.
func (e *engine) After(d time.Duration, fire func()) (stop func() bool) {
	e.check()
	e.refuseBeside("set a timer")
	t := e.add(&timer{at: e.truth(e.local(e.now) + max(d, 0))})
	t.task = e.child(e.cur, "timer", func() { e.goOff(t) })
	t.task.own, t.fire = true, fire
	return func() bool { return e.stop(t) }
}

// stop reports whether it kept t's function from running. Under a scheduler of the caller's, a task that is ready
// already does nothing then: that no task is kept from running is what exploration relies on.
func (e *engine) stop(t *timer) bool {
	e.touch(t.task.id)
	if t.fire == nil {
		return false
	}
	t.fire = nil
	if !e.timers.drop(t) && e.sched == nil && t.task.resume == nil {
		e.ended(t.task)
	}
	return true
}

// goOff is t's task.
func (e *engine) goOff(t *timer) {
	e.touch(t.task.id)
	if fire := t.fire; fire != nil {
		t.fire = nil
		e.outside(fire)
	}
}

// advance moves time to the next instant at which something happens. False: nothing ever will.
func (e *engine) advance() bool {
	if len(e.timers) == e.asideTimers { // observers alone wait for time
		return false
	}
	e.now = e.timers[0].at
	e.instant = 0
	e.moves++
	e.hash.mix(tagTime, uint64(e.now))
	for len(e.timers) > 0 && e.timers[0].at == e.now {
		t := heap.Pop(&e.timers).(*timer)
		if t.beside {
			e.asideTimers--
		}
		if t.token != nil {
			e.Unpark(t.token)
		} else {
			e.begin(t.task)
		}
	}
	return true
}
