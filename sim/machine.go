package sim

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// machine is one node of the world: its clock and its chance, over all its lives.
type machine struct {
	name  string
	skew  time.Duration
	drift int64 // parts per million
	rand  *rand.Rand
}

// life is a machine from a start to a crash. Every task belongs to its parent's.
type life struct {
	*machine
	id   uint64
	dead bool
	ctx  *seam.Ctx
}

// driftMax is in parts per million, either way.
const driftMax = 100_000

// SetClock makes the clock of the machine called name, which then differs from virtual time by skew, and by drift millionths of the time passed.
func (e *engine) SetClock(name string, skew time.Duration, drift int64) {
	if drift < -driftMax || drift > driftMax {
		panic(fmt.Sprintf("sim: a drift of %d ppm, at most %d", drift, driftMax))
	}
	m := e.machine(name)
	m.skew, m.drift = skew, drift
}

func (e *engine) machine(name string) *machine {
	m := e.machines[name]
	if m == nil {
		if e.machines == nil {
			e.machines = map[string]*machine{}
		}
		m = &machine{name: name, rand: rand.New(rand.NewPCG(e.seed, streamNode^hashOf(name)))}
		e.machines[name] = m
	}
	return m
}

// Boot starts f as a task of a new life of the machine, which end ends: all its tasks, timers and contexts. A task of a dead life can do
// nothing more in the world. join waits for the task; mine reports whether the running task belongs to that life.
func (e *engine) Boot(ctx context.Context, name string, f func(ctx context.Context)) (join, end func(), mine func() bool) {
	own, _ := seam.WithCancel(ctx)
	return e.boot(own.(*seam.Ctx), name, func() { f(own) })
}

func (e *engine) boot(own *seam.Ctx, name string, f func()) (join, end func(), mine func() bool) {
	e.check()
	e.refuseBeside("start a task")
	t := e.child(e.cur, name, func() { e.outside(f) })
	t.life = &life{machine: e.machine(name), id: t.id, ctx: own}
	e.spawn(t)
	return func() { e.join(t) }, func() { e.crash(t.life) }, func() bool { return e.cur.life == t.life }
}

// crash ends l, youngest task first. A task may end its own life.
func (e *engine) crash(l *life) {
	e.Point()
	e.touch(l.id)
	if l.dead {
		return
	}
	l.dead = true
	e.hash.mix(tagCrash, l.id)
	e.text.add(" crashes %s", l.name)
	l.ctx.End(errCrashed)
	me := e.cur
	ts := slices.DeleteFunc(slices.Clone(e.tasks), func(t *Task) bool { return t.life != l || t == me })
	slices.SortFunc(ts, func(a, b *Task) int { return cmp.Compare(b.age, a.age) })
	for _, t := range ts {
		switch {
		case e.alone: // exploration relies on tasks that can run to be there until they do
			e.makeReady(t)
		case !t.done:
			e.kill(t)
		}
	}
	e.cur = me
	e.running.Store(me)
	e.timers = slices.DeleteFunc(e.timers, func(t *timer) bool {
		dead := t.task != nil && t.task.life == l
		if dead {
			t.place = -1
		}
		return dead
	})
	for i, t := range e.timers {
		t.place = i
	}
	heap.Init(&e.timers)
	for _, w := range e.watches {
		w.off = w.off || w.task.life == l
	}
	if me.life == l {
		e.unwound()
	}
}

var errCrashed = errors.New("sim: the machine has crashed")

// Bound is f as long as the life of the running task lasts, and nothing after that.
func (e *engine) Bound(f func()) func() {
	l := e.cur.life
	if l == nil {
		return f
	}
	return func() {
		if !l.dead {
			f()
		}
	}
}

// dead reports whether the running task has been crashed.
func (e *engine) dead() bool { return e.cur != nil && e.cur.life != nil && e.cur.life.dead }

// local is the running task's clock when virtual time is t.
func (e *engine) local(t time.Duration) time.Duration {
	if e.cur == nil || e.cur.life == nil {
		return t
	}
	return e.cur.life.local(t)
}

// truth is the first virtual time at which the running task's clock is at local.
func (e *engine) truth(local time.Duration) time.Duration {
	if e.cur == nil || e.cur.life == nil {
		return local
	}
	return e.cur.life.truth(local)
}

func (m *machine) local(t time.Duration) time.Duration {
	const million = 1_000_000
	d := time.Duration(m.drift)
	return t + m.skew + t/million*d + t%million*d/million
}

func (m *machine) truth(local time.Duration) time.Duration {
	t := time.Duration(float64(local-m.skew) / (1 + float64(m.drift)/1e6))
	for step := time.Duration(1 << 20); step > 0; step /= 2 { // to where the clock reads less
		for m.local(t) >= local {
			t -= step
		}
		for m.local(t+step) < local {
			t += step
		}
	}
	return t + 1
}

// Local is what the running task's clock shows at the virtual time t. Unlike Now it may be asked in a transaction.
func (e *engine) Local(t time.Time) time.Time { return atTime(e.local(sinceEpoch(t))) }

// Instant is the virtual time, asked from anywhere.
func (e *engine) Instant() time.Time { return atTime(e.now) }

// True is the virtual time at which the running task's clock shows t.
func (e *engine) True(t time.Time) time.Time { return atTime(e.truth(sinceEpoch(t))) }

func atTime(d time.Duration) time.Time { return time.Unix(epochSeconds, int64(d)).UTC() }

func sinceEpoch(t time.Time) time.Duration { return t.Sub(time.Unix(epochSeconds, 0)) }
