package sim

import (
	"fmt"
	"iter"
	"runtime"
	"runtime/debug"

	"github.com/synodkit/synod/internal/seam"
)

// task is one coroutine.
type task struct {
	id      int
	name    string
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
	joins   *task       // while joining
	joiners []*task
	kills   int // calls into the world since it began to end
}

// spawn makes a task that is ready to run.
func (e *engine) spawn(name string, run func()) *task {
	e.lastTask++
	t := &task{id: e.lastTask, name: name, run: run, fresh: true, at: -1, place: len(e.tasks)}
	e.tasks = append(e.tasks, t)
	e.makeReady(t)
	return t
}

// start is spawn for the engine's own tasks.
func (e *engine) start(name string, run func()) *task {
	t := e.spawn(fmt.Sprintf("%s-%d", name, e.lastTask+1), run)
	t.own = true
	return t
}

// Spawn starts a task. Starting and joining are edges of the happens-before order; they conflict with nothing.
func (e *engine) Spawn(name string, f func()) (join func()) {
	e.check()
	t := e.spawn(name, f)
	e.hash.mix(tagSpawn, uint64(t.id), hashOf(name))
	e.text.spawn(t)
	return func() { e.join(t) }
}

func (e *engine) join(t *task) {
	e.Point()
	if !t.done {
		me := e.cur
		me.joins = t
		t.joiners = append(t.joiners, me)
		e.unready(me)
		e.yield(me)
		me.joins = nil
	}
	e.hash.mix(tagJoin, uint64(t.id))
	e.text.join(t)
}

// turn runs t until it yields or ends.
func (e *engine) turn(t *task) {
	if t.resume == nil {
		t.resume, t.stop = iter.Pull(func(yield func(struct{}) bool) { e.body(t, yield) })
	}
	e.cur = t
	t.resume()
	e.cur = nil
}

// body is a task's coroutine from start to end.
func (e *engine) body(t *task, yield func(struct{}) bool) {
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

// crashed records why a task did not return.
func (e *engine) crashed(t *task, r any) {
	e.inTx = false
	switch {
	case seam.IsKill(r):
	case r == nil:
		e.fail(fmt.Errorf("task %s: %w", t.name, ErrGoexit))
	default:
		e.fail(&PanicError{t.name, r, debug.Stack()})
	}
}

// ended takes t out of the world and lets its joiners go on.
func (e *engine) ended(t *task) {
	t.done, t.run = true, nil
	e.unready(t)
	last := len(e.tasks) - 1
	moved := e.tasks[last]
	e.tasks[t.place] = moved
	moved.place = t.place
	e.tasks[last] = nil
	e.tasks = e.tasks[:last]
	for _, j := range t.joiners {
		e.makeReady(j)
	}
	t.joiners = nil
}

// kill unwinds t. Its deferred functions run, but can do nothing in the world any more.
func (e *engine) kill(t *task) {
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
		runtime.Goexit()
	}
	panic(seam.Kill{})
}

// waitsFor names what a task waits for.
func (t *task) waitsFor() []string {
	switch {
	case t.joins != nil:
		return []string{"the end of task " + t.joins.name}
	case t.token == nil || t.token.On == nil:
		return []string{"its turn"}
	}
	var names []string
	seen := map[uint32]bool{}
	t.token.On.Each(func(id uint32, label string) {
		if !seen[id] {
			seen[id] = true
			names = append(names, label)
		}
	})
	if len(names) == 0 {
		names = []string{"its context"}
	}
	return names
}
