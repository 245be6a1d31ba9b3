//go:build race

package sim

import (
	"math/rand/v2"
	"runtime"
	"time"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

// remote is the engine as actors see it: every method is a call that the task's coroutine does. Within the engine, on a coroutine, it is the
// engine itself.
type remote struct{ e *engine }

// call is one call: what is to be done and what came of it. Both sides look at it in functions that the detector does not see.
type call struct {
	op     op
	text   string
	n      int
	d      time.Duration
	t      time.Time
	f      func()
	stop   func() bool
	ask    func() error
	own    *seam.Ctx
	token  *seam.Token
	effect *seam.Effect

	id       uint32
	bits     uint64
	yes      bool
	err      error
	join     func()
	end      func()
	waiting  []Wait
	cycle    []string
	panicked any
}

type op int

const (
	opPoint op = iota
	opPark
	opUnpark
	opEffect
	opNewID
	opFirstTouch
	opNow
	opAfter
	opDraw
	opMayDraw
	opChoose
	opFault
	opSpawn
	opWatch
	opBoot
	opLocal
	opTrue
	opInstant
	opBeside
	opWaitGraph
	opStop
	opDo
)

// do is the engine's side of a call.
//
//go:norace
func (c *call) do(e *engine) {
	switch c.op {
	case opPoint:
		e.Point()
	case opPark:
		e.Park(c.token)
	case opUnpark:
		e.Unpark(c.token)
	case opEffect:
		e.Effect(c.effect)
	case opNewID:
		c.id = e.NewID()
	case opFirstTouch:
		c.id = e.FirstTouch()
	case opDraw:
		c.bits = e.random().Uint64()
	case opMayDraw:
		e.Rand()
	case opChoose:
		c.n = e.Choose(c.text, c.n)
	case opFault:
		c.err = e.Fault(c.text)
	case opStop:
		c.yes = c.stop()
	case opDo:
		c.f()
	case opWaitGraph:
		c.waiting, c.cycle = e.WaitGraph()
		runtime.RaceReleaseMerge(unsafe.Pointer(&e.cur.actor.back))
	default:
		c.doMore(e)
	}
}

//go:norace
func (c *call) doMore(e *engine) {
	switch c.op {
	case opNow:
		c.t = e.Now()
	case opLocal:
		c.t = e.Local(c.t)
	case opTrue:
		c.t = e.True(c.t)
	case opInstant:
		c.t = e.Instant()
	case opAfter:
		c.stop = e.After(c.d, c.f)
	case opSpawn:
		c.join = e.Spawn(c.text, c.f)
	case opWatch:
		c.end = e.watchErr(c.ask, c.f)
	case opBoot:
		c.join, c.end, c.stop = e.boot(c.own, c.text, c.f)
	case opBeside:
		e.Beside(c.text, c.f)
	}
}

// direct reports whether the caller is the engine.
//
//go:norace
func (r *remote) direct() bool {
	t := r.e.cur
	return t == nil || t.actor == nil || t.actor.serving
}

// begin is a call to be filled in.
//
//go:norace
func (r *remote) begin(o op) *call {
	if r.e.over.Load() || !seam.OnTask() {
		r.e.check() // says what is wrong
	}
	c := &r.e.cur.actor.call
	*c = call{op: o}
	return c
}

// run is the actor's side of a call.
//
//go:norace
func (r *remote) run(c *call) {
	a := r.e.cur.actor
	runtime.RaceReleaseMerge(unsafe.Pointer(&a.out))
	runtime.RaceDisable()
	a.toEngine <- struct{}{}
	<-a.toTask
	runtime.RaceEnable()
	switch p := c.panicked.(type) {
	case nil:
	case exit:
		runtime.Goexit()
	default:
		runtime.RaceAcquire(unsafe.Pointer(&a.back))
		panic(p)
	}
}

// ordering orders what is done before out after what is done before it in another task.
type ordering struct{ b byte }

func (x *ordering) out() { runtime.RaceReleaseMerge(unsafe.Pointer(&x.b)) }
func (x *ordering) in()  { runtime.RaceAcquire(unsafe.Pointer(&x.b)) }

// after is f ordered after what the caller has done until now; its end is ordered before done.
func after(f func()) (then func(), done *ordering) {
	born, done := new(ordering), new(ordering)
	born.out()
	return func() {
		born.in()
		defer done.out()
		f()
	}, done
}

// Num implements seam.Names.
func (r *remote) Num() uint32 { return r.e.num }

// source draws from the stream of the task that runs.
type source struct{ r *remote }

// Uint64 is for rand.Source.
//
//go:norace
func (s source) Uint64() uint64 {
	c := s.r.begin(opDraw)
	s.r.run(c)
	return c.bits
}

// Rand implements seam.Clock.
//
//go:norace
func (r *remote) Rand() *rand.Rand {
	if r.direct() {
		return r.e.Rand()
	}
	r.run(r.begin(opMayDraw))
	return rand.New(source{r})
}
