package property

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

// Predicate is a query for a truth.
type Predicate = func(tx *stm.Tx) bool

// Property is something that must hold of a run.
type Property struct {
	name string
	kind string
	end  func(p *Property) error // asked when the scenario has returned; may be nil
	run  func(o *observer) error
}

// String is the kind and the name.
func (p Property) String() string { return p.kind + " " + p.name }

// ErrViolated is wrapped by every Error.
var ErrViolated = errors.New("property: violated")

// Error says which property does not hold, since when, and how things stood.
type Error struct {
	Property string
	Why      string
	At       time.Duration // virtual, since Watch
	Waiting  []sim.Wait
	Cycle    []string // with sim.Record, if there is one
}

// Error has all of it.
func (e *Error) Error() string {
	s := fmt.Sprintf("property: %s: %s, %v after the start", e.Property, e.Why, e.At)
	if len(e.Waiting) > 0 {
		graph := sim.DeadlockError{Waiting: e.Waiting, Cycle: e.Cycle}
		s += "; waiting:" + graph.Graph()
	}
	return s
}

// Unwrap is ErrViolated.
func (e *Error) Unwrap() error { return ErrViolated }

// Kind tells violations apart, for shrinking.
func (e *Error) Kind() string { return e.Property }

// world is what a simulation has for observers.
type world interface {
	Beside(name string, f func())
	Fail(err error)
	AtEnd(f func() error)
	Sought(name string)
	Seen(name string)
}

// graph is a world's wait graph.
type graph interface {
	WaitGraph() (waiting []sim.Wait, cycle []string)
}

// transact runs a transaction in the world that it was made in.
type transact func(f func(tx *stm.Tx)) error

func transactIn(ctx context.Context) transact {
	ctx = env.WithoutCancel(ctx)
	return func(f func(tx *stm.Tx)) error { return stm.Do(ctx, func(tx *stm.Tx) error { f(tx); return nil }) }
}

// observer is one property being watched.
type observer struct {
	world
	graph
	do    transact
	start time.Time
	p     *Property
	owes  string // what is promised and not yet kept
}

func worldOf(ctx context.Context) world {
	w, ok := seam.From(ctx).(world)
	if !ok {
		panic("property: outside of a simulation")
	}
	return w
}

// Watch watches properties, from now to the end of the run.
func Watch(ctx context.Context, properties ...Property) {
	w := worldOf(ctx)
	for _, p := range properties {
		o := &observer{world: w, graph: w.(graph), do: transactIn(ctx), start: env.Now(ctx), p: &p}
		w.AtEnd(func() error {
			if o.owes != "" {
				return o.violated(o.owes + " when the run ended")
			}
			return nil
		})
		w.Beside(p.String(), func() {
			if err := p.run(o); err != nil {
				w.Fail(err)
			}
		})
	}
}

func (o *observer) violated(why string) error { return o.violatedAt(why, o.now()) }

func (o *observer) violatedAt(why string, at time.Time) error {
	e := &Error{Property: o.p.String(), Why: why, At: at.Sub(o.start)}
	e.Waiting, e.Cycle = o.WaitGraph()
	return e
}

// now is the virtual time, also after the end of all tasks.
func (o *observer) now() time.Time { return o.graph.(interface{ Instant() time.Time }).Instant() }

// until waits until f holds; the wait is the observer's.
func (o *observer) until(f Predicate) error {
	return o.do(func(tx *stm.Tx) { tx.Check(f(tx)) })
}

// within waits until f holds, at most to the end of the instant by.
func (o *observer) within(by time.Time, f Predicate) (holds bool, err error) {
	err = o.do(func(tx *stm.Tx) {
		holds = f(tx)
		tx.Check(holds || env.Reached(tx, by.Add(1)))
	})
	return holds, err
}
