//go:build race

package sim

import (
	"context"
	"runtime"
	"time"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

var _ seam.World = (*remote)(nil)

// Point implements seam.Sched.
//
//go:norace
func (r *remote) Point() {
	if r.direct() {
		r.e.Point()
		return
	}
	r.run(r.begin(opPoint))
}

// Park implements seam.Sched. The engine has a token of its own, because it writes to it; the caller's leads there.
//
//go:norace
func (r *remote) Park(tok *seam.Token) {
	own := &seam.Token{Fired: tok.Fired, At: tok.At, On: tok.On}
	tok.Task = own
	c := r.begin(opPark)
	c.token = own
	r.run(c)
	runtime.RaceAcquire(unsafe.Pointer(own))
	tok.Fired = own.Fired
}

// Unpark implements seam.Sched. Who wakes comes before who is woken.
//
//go:norace
func (r *remote) Unpark(tok *seam.Token) {
	own, ok := tok.Task.(*seam.Token)
	if !ok {
		tok.Fired = true
		return
	}
	if r.direct() {
		r.e.Unpark(own)
		return
	}
	runtime.RaceReleaseMerge(unsafe.Pointer(own))
	c := r.begin(opUnpark)
	c.token = own
	r.run(c)
}

// Effect implements seam.Sched.
//
//go:norace
func (r *remote) Effect(x *seam.Effect) {
	if r.direct() {
		r.e.Effect(x)
		return
	}
	c := r.begin(opEffect)
	c.effect = r.copyOf(x)
	r.run(c)
}

// copyOf is x in memory that the caller does not write to again.
//
//go:norace
func (r *remote) copyOf(x *seam.Effect) *seam.Effect {
	y := &seam.Effect{Blocked: x.Blocked, Reads: make([]uint32, len(x.Reads)), Writes: make([]uint32, len(x.Writes))}
	for i, id := range x.Reads {
		y.Reads[i] = id
	}
	for i, id := range x.Writes {
		y.Writes[i] = id
	}
	if r.e.writers != nil && x.Labels != nil { // it records
		y.Labels = copied(x.Labels)
	}
	return y
}

// labelled are labels as they were.
type labelled struct {
	ids   []uint32
	names []string
}

func copied(l seam.Labels) *labelled {
	c := new(labelled)
	l.Each(func(id uint32, label string) {
		c.ids = append(c.ids, id)
		c.names = append(c.names, label)
	})
	return c
}

// Each implements seam.Labels.
func (l *labelled) Each(f func(id uint32, label string)) {
	for i, id := range l.ids {
		f(id, l.names[i])
	}
}

// InTx implements seam.Sched.
//
//go:norace
func (r *remote) InTx(on bool) { r.e.inTx = on }

// NewID implements seam.Names.
//
//go:norace
func (r *remote) NewID() uint32 {
	if r.direct() {
		return r.e.NewID()
	}
	c := r.begin(opNewID)
	r.run(c)
	return c.id
}

// FirstTouch implements seam.Names.
//
//go:norace
func (r *remote) FirstTouch() uint32 {
	if r.direct() {
		return r.e.FirstTouch()
	}
	c := r.begin(opFirstTouch)
	r.run(c)
	return c.id
}

// Now implements seam.Clock.
//
//go:norace
func (r *remote) Now() time.Time {
	e := r.e
	if t := e.cur; t != nil && t.life == nil && !e.ending && !e.inTx && !e.over.Load() && seam.OnTask() {
		return time.Unix(epochSeconds, int64(e.now)).UTC() // what the engine would say
	}
	return r.time(opNow, time.Time{})
}

// Local is the engine's.
//
//go:norace
func (r *remote) Local(t time.Time) time.Time { return r.time(opLocal, t) }

// True is the engine's.
//
//go:norace
func (r *remote) True(t time.Time) time.Time { return r.time(opTrue, t) }

// Instant is the engine's.
//
//go:norace
func (r *remote) Instant() time.Time {
	if r.direct() {
		return r.e.Instant()
	}
	return r.time(opInstant, time.Time{})
}

//go:norace
func (r *remote) time(o op, t time.Time) time.Time {
	c := r.begin(o)
	c.t = t
	r.run(c)
	return c.t
}

// Choose implements seam.Clock.
//
//go:norace
func (r *remote) Choose(label string, n int) int {
	c := r.begin(opChoose)
	c.text, c.n = label, n
	r.run(c)
	return c.n
}

// Fault implements seam.Clock.
//
//go:norace
func (r *remote) Fault(site string) error {
	c := r.begin(opFault)
	c.text = site
	r.run(c)
	return c.err
}

// After implements seam.Clock.
//
//go:norace
func (r *remote) After(d time.Duration, fire func()) (stop func() bool) {
	then, _ := after(fire)
	c := r.begin(opAfter)
	c.d, c.f = d, then
	r.run(c)
	return r.asked(c.stop)
}

// asked is f as a call.
func (r *remote) asked(f func() bool) func() bool { return func() bool { return r.ask(f) } }

//go:norace
func (r *remote) ask(f func() bool) bool {
	if r.direct() {
		return f()
	}
	c := r.begin(opStop)
	c.stop = f
	r.run(c)
	return c.yes
}

// done is f as a call, and after it what done orders.
func (r *remote) done(f func(), done *ordering) func() {
	return func() {
		r.do(f)
		if done != nil {
			done.in()
		}
	}
}

// do does f, which gives nothing back, in the engine.
//
//go:norace
func (r *remote) do(f func()) {
	if r.direct() {
		f()
		return
	}
	c := r.begin(opDo)
	c.f = f
	r.run(c)
}

// Spawn implements seam.Tasks.
//
//go:norace
func (r *remote) Spawn(name string, f func()) (join func()) {
	then, done := after(f)
	c := r.begin(opSpawn)
	c.text, c.f = name, then
	r.run(c)
	return r.done(c.join, done)
}

// Watch implements seam.Tasks.
//
//go:norace
func (r *remote) Watch(ctx context.Context, f func()) (stop func()) {
	then, _ := after(f)
	c := r.begin(opWatch)
	c.ask, c.f = ctx.Err, then
	r.run(c)
	return r.done(c.end, nil)
}

// Boot is the engine's.
//
//go:norace
func (r *remote) Boot(ctx context.Context, name string, f func(ctx context.Context)) (join, end func(), mine func() bool) {
	own, _ := seam.WithCancel(ctx)
	then, done := after(func() { f(own) })
	c := r.begin(opBoot)
	c.own, c.text, c.f = own.(*seam.Ctx), name, then
	r.run(c)
	join, end, mine = c.join, c.end, c.stop
	return r.done(join, done), r.done(end, nil), r.asked(mine)
}

// Beside is the engine's. What an observer does up to its first wait comes before what its caller does next.
//
//go:norace
func (r *remote) Beside(name string, f func()) {
	then, done := after(f)
	c := r.begin(opBeside)
	c.text, c.f = name, then
	r.run(c)
	done.in()
}

// WaitGraph is the engine's.
//
//go:norace
func (r *remote) WaitGraph() ([]Wait, []string) {
	if r.direct() {
		return r.e.WaitGraph()
	}
	c := r.begin(opWaitGraph)
	a := r.e.cur.actor
	r.run(c)
	runtime.RaceAcquire(unsafe.Pointer(&a.back))
	return c.waiting, c.cycle
}

// Bound is the engine's.
//
//go:norace
func (r *remote) Bound(f func()) func() {
	l := r.e.cur.life
	return func() {
		if l == nil || !l.isDead() {
			f()
		}
	}
}

//go:norace
func (l *life) isDead() bool { return l.dead }

// SetClock is the engine's.
func (r *remote) SetClock(name string, skew time.Duration, drift int64) {
	r.do(func() { r.e.SetClock(name, skew, drift) })
}

// Fail is the engine's.
func (r *remote) Fail(err error) { r.do(func() { r.e.Fail(err) }) }

// AtEnd is the engine's.
func (r *remote) AtEnd(f func() error) { r.do(func() { r.e.AtEnd(f) }) }

// Arm is the engine's.
func (r *remote) Arm(site string) { r.do(func() { r.e.Arm(site) }) }

// Fired is the engine's.
func (r *remote) Fired(site string) { r.do(func() { r.e.Fired(site) }) }

// Sought is the engine's.
func (r *remote) Sought(name string) { r.do(func() { r.e.Sought(name) }) }

// Seen is the engine's.
func (r *remote) Seen(name string) { r.do(func() { r.e.Seen(name) }) }

// Fair is the engine's.
func (r *remote) Fair(on bool) { r.do(func() { r.e.Fair(on) }) }
