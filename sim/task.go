package sim

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime/debug"

	"github.com/synodkit/synod/internal/seam"
)

// Task is one task of a simulated world: a coroutine.
type Task struct {
	name    string
	id      uint64
	parent  *Task
	nth     int // child of parent
	kids    int // tasks started
	ids     int // Vars and contexts made
	age     int // in order of start
	rand    *rand.Rand
	run     func()
	resume  func() (struct{}, bool) // nil until the first turn
	stop    func()
	yield   func(struct{}) bool
	fresh   bool // has its first turn, or none yet
	done    bool
	own     bool        // started by the engine itself: a timer, a polled context
	at      int         // place in ready, or -1
	place   int         // place in tasks
	token   *seam.Token // while parked
	actor   *actor
	joins   *Task // while joining
	joiners []*Task
	kills   int // calls into the world since it began to end

	life     *life      // nil: of no machine
	chance   *rand.Rand // of faults
	lastStep int        // number of the last step it took
	beside   bool       // an observer
	reads    []uint32   // of an observer in an exploration: the Vars of its waits
	woke     bool       // of an observer: the next look is the one it waited for
}

// begin makes t ready to run.
func (e *engine) begin(t *Task) {
	e.enroll(t)
	e.makeReady(t)
}

func (e *engine) enroll(t *Task) {
	e.lastTask++
	t.age, t.place = e.lastTask, len(e.tasks)
	e.tasks = append(e.tasks, t)
}

// Spawn starts a task. Starting and joining are edges of the happens-before order; they conflict with nothing.
func (e *engine) Spawn(name string, f func()) (join func()) {
	e.check()
	e.refuseBeside("start a task")
	t := e.child(e.cur, name, func() { e.outside(f) })
	e.spawn(t)
	return func() { e.join(t) }
}

func (e *engine) spawn(t *Task) {
	e.begin(t)
	e.hash.mix(tagSpawn, t.id, hashOf(t.name))
	e.text.spawn(t)
	if e.step != nil {
		e.step.Started = append(e.step.Started, t)
	}
}

func (e *engine) join(t *Task) {
	e.Point()
	if !t.done {
		me := e.cur
		me.joins = t
		t.joiners = append(t.joiners, me)
		e.unready(me)
		e.yield(me)
		me.joins = nil
	}
	e.hash.mix(tagJoin, t.id)
	e.text.join(t)
	if e.step != nil {
		e.step.Joined = append(e.step.Joined, t)
	}
}

// turn runs t until it yields or ends.
func (e *engine) turn(t *Task) {
	if t.resume == nil {
		if t.life != nil && t.life.dead {
			e.ended(t)
			return
		}
		e.coroutines++
		t.resume, t.stop = iter.Pull(func(yield func(struct{}) bool) { e.body(t, yield) })
	}
	e.cur = t
	e.running.Store(t)
	t.resume()
	e.cur = nil
}

// body is a task's coroutine from start to end.
func (e *engine) body(t *Task, yield func(struct{}) bool) {
	t.yield = yield
	seam.MarkTask()
	normal := false
	defer func() {
		seam.UnmarkTask()
		if !normal {
			e.crashed(t, recover())
		}
		e.ended(t)
	}()
	t.run()
	normal = true
}

// carried is a panic with the place where it began.
type carried struct {
	value any
	stack []byte
}

// crashed records why a task did not return.
func (e *engine) crashed(t *Task, r any) {
	e.inTx = false
	switch {
	case seam.IsKill(r):
	case r == nil:
		e.fail(fmt.Errorf("task %s: %w", t.name, ErrGoexit))
	default:
		if c, ok := r.(carried); ok { // from the task's goroutine
			e.fail(&PanicError{t.name, c.value, c.stack})
			return
		}
		e.fail(&PanicError{t.name, r, debug.Stack()})
	}
}

// ended takes t out of the world and lets its joiners go on.
func (e *engine) ended(t *Task) {
	t.done, t.run = true, nil
	if t.resume != nil {
		e.coroutines--
	}
	e.unready(t)
	last := len(e.tasks) - 1
	moved := e.tasks[last]
	e.tasks[t.place] = moved
	moved.place = t.place
	e.tasks[last] = nil
	e.tasks = e.tasks[:last]
	if e.step != nil && e.step.Task == t {
		e.step.Ended = true
	}
	for _, j := range t.joiners {
		e.makeReady(j)
	}
	t.joiners = nil
}

// kill unwinds t. Its deferred functions run, but can do nothing in the world any more.
func (e *engine) kill(t *Task) {
	if t.resume == nil {
		e.ended(t)
		return
	}
	e.cur = t
	t.stop()
	e.cur = nil
}

// unwound ends the running task. A task that keeps recovering from it is ended in a way that cannot be recovered.
func (e *engine) unwound() {
	if e.cur.kills++; e.cur.kills > 10 {
		if !e.ending {
			e.fail(fmt.Errorf("task %s, of a machine that has crashed, recovers from everything: %w", e.cur.label(), ErrGoexit))
		}
		e.goexit()
	}
	panic(seam.Kill{})
}
