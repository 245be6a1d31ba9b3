package explore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// op is one statement of a random program.
type op struct {
	kind    kind
	a, b, k int
	body    []op // of a fork
}

type kind int

const (
	opRead    kind = iota // local = 7*local + a
	opWrite               // a = local + k
	opChange              // b = 3*a + k
	opGuard               // wait until a%3 != k%3, then b++
	opBoth                // wait until a+b is positive, then a = 0
	opEither              // wait until a is above k%2, or else b; local tells which
	opSleep               // sleep k
	opLimit               // wait until a is positive, at most k
	opFork                // start body as a task
	opJoin                // wait for the oldest task started here
	opCancel              // cancel context a
	opUnder               // wait under context a until b is positive
	opAfter               // a timer of k that adds to a
	opStop                // stop the last such timer
	opChoose              // local = a choice of two
	opDerive              // wait under a context with a timeout of k
	opPublish             // make a Var and show it to others
	opFollow              // change the Var that was shown last
	opLoad                // read without a transaction
	opBoot                // start body as a task of a machine
	opCrash               // crash the machine started here last
	opWatched             // an observer beside the run sees every state of all Vars
	kinds
)

// family is the kinds of statements that a program is made of.
type family []kind

var families = map[string]family{
	"values":   {opRead, opWrite, opChange, opGuard},
	"waits":    {opWrite, opChange, opGuard, opBoth, opEither},
	"timers":   {opRead, opChange, opGuard, opSleep, opLimit, opEither, opAfter, opStop},
	"forks":    {opRead, opWrite, opChange, opGuard, opFork, opFork, opJoin},
	"cancels":  {opRead, opChange, opGuard, opCancel, opUnder, opUnder, opDerive},
	"choices":  {opRead, opChange, opGuard, opChoose},
	"new vars": {opRead, opChange, opPublish, opFollow, opLoad},
	"watched":  {opRead, opWrite, opChange, opGuard, opWatched},
	"crashes":  {opRead, opChange, opGuard, opSleep, opFork, opJoin, opBoot, opBoot, opCrash, opCrash},
	"all":      {opRead, opWrite, opChange, opGuard, opBoth, opEither, opSleep, opLimit, opFork, opJoin, opCancel, opUnder, opAfter, opStop, opChoose, opDerive, opPublish, opFollow, opLoad},
}

type program struct {
	vars  int
	tasks [][]op
	leak  bool // main does not wait for its tasks

	watched bool // by an observer
}

func (f family) program(r *rand.Rand) program {
	p := program{vars: 1 + r.IntN(3), leak: r.IntN(8) == 0}
	for range 2 + r.IntN(3) {
		p.tasks = append(p.tasks, f.ops(r, p.vars, 1))
	}
	for _, ops := range p.tasks {
		for _, o := range ops {
			p.watched = p.watched || o.kind == opWatched
		}
	}
	return p
}

func (f family) ops(r *rand.Rand, vars, depth int) []op {
	var ops []op
	for range 1 + r.IntN(3) {
		o := op{kind: f[r.IntN(len(f))], a: r.IntN(vars), b: r.IntN(vars), k: r.IntN(3)}
		if o.kind == opFork || o.kind == opBoot {
			if depth > 1 {
				o.kind = opChange
			} else {
				o.body = f.ops(r, vars, depth+1)
			}
		}
		ops = append(ops, o)
	}
	return ops
}

// world is one run of a program.
type world struct {
	p       program
	w       seam.World
	vars    []*stm.Var[int]
	shown   *stm.Var[*stm.Var[int]]
	ctxs    []context.Context
	cancels []context.CancelFunc
	locals  []string
	states  []string // that the observer has seen, in order
}

// scenario runs p; outcome is what can be told about the last run.
func (p program) scenario() (scenario func(ctx context.Context) error, outcome func(r *sim.Report) string) {
	var m *world
	scenario = func(ctx context.Context) error {
		m = &world{p: p, w: seam.From(ctx), shown: stm.NewVar(stm.NewVar(0))}
		for range p.vars {
			m.vars = append(m.vars, stm.NewVar(0))
			c, cancel := env.WithCancel(ctx)
			m.ctxs, m.cancels = append(m.ctxs, c), append(m.cancels, cancel)
		}
		if p.watched {
			m.w.(interface{ Beside(name string, f func()) }).Beside("observer", func() { m.observe(ctx) })
		}
		var joins []func()
		for i, ops := range p.tasks {
			joins = append(joins, m.w.Spawn(fmt.Sprint(i), func() { m.task(ctx, ops) }))
		}
		if p.leak {
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(m.vars[0].Get(tx) > 1); return nil })
		}
		for _, j := range joins {
			j()
		}
		return nil
	}
	outcome = func(r *sim.Report) string {
		s := fmt.Sprint(m.locals, m.states, r.Elapsed)
		for _, v := range m.vars {
			s += fmt.Sprint(" ", v.Load(context.Background()))
		}
		if r.Err != nil {
			s += r.Err.Error()
		}
		return s
	}
	return scenario, outcome
}

// observe notes each state of the Vars.
func (m *world) observe(ctx context.Context) {
	last := ""
	for {
		err := stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
			now := ""
			for _, v := range m.vars {
				now += fmt.Sprint(" ", v.Get(tx))
			}
			tx.Check(now != last)
			last = now
			return nil
		})
		if err != nil {
			return
		}
		m.states = append(m.states, last)
	}
}

// local is a task's own state.
type local struct {
	m     *world
	ctx   context.Context
	slot  int
	x     int
	joins []func()
	stop  func() bool
	crash func()
}

func (m *world) task(ctx context.Context, ops []op) {
	l := &local{m: m, ctx: ctx, slot: -1, stop: func() bool { return false }, crash: func() {}}
	// The slots must not tell who came first.
	defer func() { m.note(ops, l.x) }()
	for _, o := range ops {
		l.do(o)
	}
}

// note keeps a task's end, in an order that does not depend on the schedule.
func (m *world) note(ops []op, x int) {
	s := fmt.Sprintf("%p=%d", &ops[0], x)
	i := 0
	for i < len(m.locals) && m.locals[i] < s {
		i++
	}
	m.locals = append(m.locals[:i:i], append([]string{s}, m.locals[i:]...)...)
}

func (l *local) do(o op) {
	a, b := l.m.vars[o.a], l.m.vars[o.b]
	tx := func(f func(tx *stm.Tx)) {
		if err := stm.Do(l.ctx, func(tx *stm.Tx) error { f(tx); return nil }); err != nil {
			l.x = 11*l.x + 5
		}
	}
	switch o.kind {
	case opRead, opWatched:
		x, _ := stm.Query(l.ctx, a.Get)
		l.x = 7*l.x + x
	case opWrite:
		tx(func(tx *stm.Tx) { a.Set(tx, l.x+o.k) })
	case opChange:
		tx(func(tx *stm.Tx) { b.Set(tx, (3*a.Get(tx)+o.k)%11) })
	case opGuard:
		tx(func(tx *stm.Tx) { tx.Check(a.Get(tx)%3 != o.k); b.Set(tx, b.Get(tx)+1) })
	case opBoth:
		tx(func(tx *stm.Tx) { tx.Check(a.Get(tx)+b.Get(tx) > 0); a.Set(tx, 0) })
	case opEither:
		l.x, _ = stm.Query(l.ctx, func(tx *stm.Tx) int {
			return stm.OrElse(tx, func(tx *stm.Tx) int { tx.Check(a.Get(tx) > o.k%2); return 1 },
				func(tx *stm.Tx) int { tx.Check(b.Get(tx) > 0); return 2 })
		})
	case opLoad:
		l.x = 5*l.x + a.Load(l.ctx)
	case opChoose:
		l.x = 3*l.x + env.Choose(l.ctx, "side", 2)
	case opPublish:
		tx(func(tx *stm.Tx) { l.m.shown.Set(tx, stm.NewVar(a.Get(tx))) })
	case opFollow:
		tx(func(tx *stm.Tx) { v := l.m.shown.Get(tx); v.Set(tx, v.Get(tx)+1); b.Set(tx, v.Get(tx)) })
	default:
		l.timed(o)
	}
}

func (l *local) timed(o op) {
	a := l.m.vars[o.a]
	switch o.kind {
	case opSleep:
		_ = env.Sleep(l.ctx, time.Duration(o.k))
	case opLimit:
		at := env.Now(l.ctx).Add(time.Duration(o.k))
		x, _ := stm.Query(l.ctx, func(tx *stm.Tx) bool {
			late := env.Reached(tx, at)
			tx.Check(late || a.Get(tx) > 0)
			return late
		})
		l.x = 3*l.x + map[bool]int{true: 2, false: 1}[x]
	case opFork:
		l.joins = append(l.joins, l.m.w.Spawn("kid", func() { l.m.task(l.ctx, o.body) }))
	case opBoot:
		w := l.m.w.(interface {
			Boot(ctx context.Context, name string, f func(ctx context.Context)) (join, end func(), mine func() bool)
		})
		var join func()
		join, l.crash, _ = w.Boot(l.ctx, "kid", func(ctx context.Context) { l.m.task(ctx, o.body) })
		l.joins = append(l.joins, join)
	case opCrash:
		_ = stm.NewVar(0).Load(l.ctx) // the machine has had its chance
		l.crash()
	case opJoin:
		if len(l.joins) > 0 {
			l.joins[0]()
			l.joins = l.joins[1:]
		}
	case opCancel:
		l.m.cancels[o.a]()
	case opUnder:
		l.under(l.m.ctxs[o.a], o)
	case opDerive:
		ctx, cancel := env.WithTimeout(l.m.ctxs[o.a], time.Duration(o.k))
		l.under(ctx, o)
		cancel()
	case opAfter:
		l.stop = l.m.w.After(time.Duration(o.k), func() {
			_ = stm.Do(l.ctx, func(tx *stm.Tx) error { a.Update(tx, func(n int) int { return 2*n + 1 }); return nil })
		})
	case opStop:
		if l.stop() {
			l.x = 13*l.x + 1
		}
	}
}

func (l *local) under(ctx context.Context, o op) {
	b := l.m.vars[o.b]
	err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(b.Get(tx) > 0); return nil })
	l.x = 5*l.x + 1
	if err != nil {
		l.x++
	}
}
