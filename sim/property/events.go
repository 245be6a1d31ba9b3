package property

import (
	"context"
	"fmt"
	"time"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/trace"
)

// Events are the events of one kind that a run has emitted, in order.
type Events[E any] struct {
	world world
	do    transact
	all   *stm.Var[[]E] // appended to in place: older slices are shorter
}

// Record is an empty stream of events of ctx's world.
func Record[E any](ctx context.Context) *Events[E] {
	return &Events[E]{worldOf(ctx), transactIn(ctx), stm.NewVar[[]E](nil).Label("events")}
}

// Tracer is the tracer that fills the stream. An event is seen by properties at once, with the state of its moment; emitting is no step.
func (s *Events[E]) Tracer() trace.Tracer[E] {
	return func(_ context.Context, e E) {
		s.world.Beside("event", func() {
			_ = s.do(func(tx *stm.Tx) { s.all.Set(tx, append(s.all.Get(tx), e)) }) // cannot fail: it never waits
		})
	}
}

// All are the events so far. They are not to be changed.
func (s *Events[E]) All(tx *stm.Tx) []E { return s.all.Get(tx) }

// Count is how many events have matched so far.
func (s *Events[E]) Count(tx *stm.Tx, match func(e E) bool) (n int) {
	for _, e := range s.all.Get(tx) {
		if match(e) {
			n++
		}
	}
	return n
}

// more waits for more than n events and gives all.
func (s *Events[E]) more(n int) (all []E, err error) {
	err = s.do(func(tx *stm.Tx) {
		all = s.all.Get(tx)
		tx.Check(len(all) > n)
	})
	return all, err
}

// EachEvent holds if check gives nil for every event, given those before it.
func EachEvent[E any](name string, s *Events[E], check func(before []E, e E) error) Property {
	return Property{name: name, kind: "each event", run: func(o *observer) error {
		for n := 0; ; n++ {
			all, err := s.more(n)
			if err != nil {
				return err
			}
			if err := check(all[:n], all[n]); err != nil {
				return o.violated(fmt.Sprintf("%+v: %v", all[n], err))
			}
		}
	}}
}

// Answered holds if every event that asks is followed by one that answers it, within the time.
func Answered[E any](name string, s *Events[E], asks func(e E) bool, answers func(question, e E) bool, within time.Duration) Property {
	return Property{name: name, kind: "answered", run: func(o *observer) error {
		a := answered[E]{asks: asks, answers: answers}
		for {
			by := o.now().Add(never)
			if len(a.open) > 0 {
				by = a.open[0].at.Add(within)
			}
			var all []E
			came, err := o.within(by, func(tx *stm.Tx) bool { all = s.all.Get(tx); return len(all) > a.seen })
			switch {
			case err != nil:
				return err
			case !came:
				return o.violatedAt(fmt.Sprintf("%+v has no answer within %v", a.open[0].e, within), by)
			}
			a.take(all, o.now())
			if o.owes = ""; len(a.open) > 0 {
				o.owes = fmt.Sprintf("%+v had no answer", a.open[0].e)
			}
		}
	}}
}

// never is longer than any run.
const never = 1 << 61

// answered are the questions without an answer, oldest first.
type answered[E any] struct {
	asks    func(e E) bool
	answers func(question, e E) bool
	seen    int
	open    []question[E]
}

type question[E any] struct {
	e  E
	at time.Time
}

func (a *answered[E]) take(all []E, at time.Time) {
	for _, e := range all[a.seen:] {
		kept := a.open[:0]
		for _, q := range a.open {
			if !a.answers(q.e, e) {
				kept = append(kept, q)
			}
		}
		a.open = kept
		if a.asks(e) {
			a.open = append(a.open, question[E]{e, at})
		}
	}
	a.seen = len(all)
}
