//go:build race

package sim

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

// backend is how tasks run under the race detector, if Races asks for it. If all tasks took their turns on coroutines, each hand-over would order
// what one did before what the next does, and no race between them would ever show. So the code of a task runs on a goroutine of
// its own, its actor, and the coroutine runs the engine for it: the actor hands over a call and waits. The detector does not see those hand-overs.
// What it sees of an actor goes to the engine, so that the engine may read all it is given, but nothing comes back: between two actors there is only
// what would be there in production, which is what Vars, contexts, starts, joins and wake-ups order. The engine decides as ever, so hashes are the same.
type backend struct {
	races   bool
	births  chan *actor
	resting []*actor
}

// restMax actors that have ended are kept: a new goroutine on the stack of an old one would find in stm what that used last, and so be ordered after it.
const restMax = 1000

// actor is the goroutine of a task's own code.
type actor struct {
	f        func()
	call     call
	toEngine chan struct{}
	toTask   chan struct{}
	serving  bool // the engine does what call says
	out      byte // an address: what the actor did before a call
	back     byte // an address: what the engine did before a failed call
	over     bool
	normal   bool
	panicked carried
}

func (e *engine) open() (done func()) {
	if e.face = e; !e.races {
		return func() {}
	}
	e.face = &remote{e}
	e.births = make(chan *actor)
	go nurse(e.births)
	return func() {
		e.bear(nil)
		for _, a := range e.resting {
			a.leave()
		}
	}
}

// leave lets the goroutine of an actor that has ended go.
func (a *actor) leave() {
	runtime.RaceDisable()
	a.toTask <- struct{}{}
	runtime.RaceEnable()
}

// bear hands a over to the nurse; nil sends her home.
func (e *engine) bear(a *actor) {
	runtime.RaceDisable()
	e.births <- a
	runtime.RaceEnable()
}

// nurse starts actors: from a goroutine that knows nothing, so that they do not inherit what the engine knows.
func nurse(births chan *actor) {
	for {
		runtime.RaceDisable()
		a := <-births
		runtime.RaceEnable()
		if a == nil {
			return
		}
		go a.live()
	}
}

// live is an actor from start to end.
//
//go:norace
func (a *actor) live() {
	seam.MarkTask()
	defer a.end()
	a.f()
	a.normal = true
}

//go:norace
func (a *actor) end() {
	if !a.normal {
		if r := recover(); r != nil {
			a.panicked = carried{r, debug.Stack()}
		}
	}
	seam.UnmarkTask()
	a.over = true
	runtime.RaceReleaseMerge(unsafe.Pointer(&a.out))
	runtime.RaceDisable()
	a.toEngine <- struct{}{}
	<-a.toTask
	runtime.RaceEnable()
}

// ordered is f after what the caller has done.
func ordered(f func()) func() {
	then, _ := after(f)
	return then
}

// outside runs what a task does, and serves its calls until it has ended; it ends as that did.
func (e *engine) outside(f func()) {
	if !e.races {
		f()
		return
	}
	t := e.cur
	a := &actor{f: f, toEngine: make(chan struct{}), toTask: make(chan struct{})}
	t.actor = a
	e.coroutines++
	e.bear(a)
	for a.called() {
		e.serve(a)
		runtime.RaceDisable()
		a.toTask <- struct{}{}
		runtime.RaceEnable()
	}
	if e.resting = append(e.resting, a); len(e.resting) > restMax {
		e.resting[0].leave()
		e.resting = e.resting[1:]
		e.coroutines--
	}
	a.ended()
}

// called waits for the next call; false: the actor has ended.
//
//go:norace
func (a *actor) called() bool {
	runtime.RaceDisable()
	<-a.toEngine
	runtime.RaceEnable()
	runtime.RaceAcquire(unsafe.Pointer(&a.out))
	return !a.over
}

//go:norace
func (a *actor) ended() {
	switch {
	case a.normal:
	case seam.IsKill(a.panicked.value):
		panic(a.panicked.value)
	case a.panicked.value != nil:
		panic(a.panicked)
	default:
		runtime.Goexit()
	}
}

// serve does a call, and keeps a panic of the engine's for the actor.
//
//go:norace
func (e *engine) serve(a *actor) {
	a.serving = true
	done := false
	defer a.served(&done)
	a.call.do(e)
	done = true
}

//go:norace
func (a *actor) served(done *bool) {
	a.serving = false
	if !*done {
		a.call.panicked = recover()
		runtime.RaceReleaseMerge(unsafe.Pointer(&a.back))
	}
}

// goexit is what unwound asks for: of the actor, not of its coroutine.
func (e *engine) goexit() {
	if e.races {
		panic(exit{})
	}
	runtime.Goexit()
}

type exit struct{}

// isTask reports whether stack is that of a task of e.
//
//go:norace
func (e *engine) isTask(stack string) bool {
	if !e.races {
		return strings.Contains(stack, fmt.Sprintf("sim.(*engine).body(%p", e))
	}
	for _, t := range e.tasks {
		if t.actor != nil && strings.Contains(stack, fmt.Sprintf("sim.(*actor).live(%p", t.actor)) {
			return true
		}
	}
	return false
}

// runs reports whether stack is that of the task that runs.
//
//go:norace
func (e *engine) runs(stack string) bool {
	if !e.races {
		return e.isTask(stack) && !strings.Contains(firstLine(stack), "[coroutine")
	}
	t := e.running.Load()
	return t != nil && t.actor != nil && strings.Contains(stack, fmt.Sprintf("sim.(*actor).live(%p", t.actor))
}
