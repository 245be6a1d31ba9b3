package event

import (
	"context"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// Event is something that can happen once, with a value. The zero Event never happens. An Event may be synchronized on
// any number of times, each time anew.
type Event[T any] struct {
	alternatives func(ctx context.Context) []alternative[T]
}

// alternative is one way in which an event can happen.
type alternative[T any] struct {
	ready  attempt[T]                          // what happens if it can happen now, or stm.ErrRetry; nil of a Go channel
	offer  func(tx *stm.Tx, t *token, nth int) // publishes an offer; nil if nobody has to see that it is waited for
	met    func(value any) finish[T]           // what happens when the offer has been taken
	goChan *goCase[T]                          // a Go channel
	begin  func() (end func())                 // called when Sync has everything and begins to wait; or nil
}

// attempt is a transaction that happens or retries.
type attempt[T any] = func(tx *stm.Tx) (finish[T], error)

// finish is what is left to do when something has happened, outside of transactions.
type finish[T any] func() (T, error)

func value[T any](v T) finish[T] { return func() (T, error) { return v, nil } }

// one is the event with a single alternative that is the same each time.
func one[T any](a alternative[T]) Event[T] {
	return Event[T]{func(context.Context) []alternative[T] { return []alternative[T]{a} }}
}

// Never is the event that does not happen.
func Never[T any]() Event[T] { return Event[T]{} }

// Always is an event that can happen at once. As the last alternative it is what happens if no other can.
func Always[T any](v T) Event[T] {
	return one(alternative[T]{ready: func(*stm.Tx) (finish[T], error) { return value(v), nil }})
}

// Tx happens when f as a transaction does not retry. An error of f ends the whole choice. The Take of a source is such an
// f.
func Tx[T any](f func(tx *stm.Tx) (T, error)) Event[T] {
	return one(alternative[T]{ready: func(tx *stm.Tx) (finish[T], error) {
		v, err := f(tx)
		if err != nil {
			return nil, err
		}
		return value(v), nil
	}})
}

// At happens at an instant of the world's time, and gives it.
func At(at time.Time) Event[time.Time] {
	return one(alternative[time.Time]{ready: func(tx *stm.Tx) (finish[time.Time], error) {
		if !env.Reached(tx, at) {
			return nil, stm.ErrRetry
		}
		return value(at), nil
	}})
}

// After happens when d has passed since Sync began to wait, and gives that instant.
func After(d time.Duration) Event[time.Time] {
	return Guard(func(ctx context.Context) Event[time.Time] { return At(env.Now(ctx).Add(d)) })
}

// Done happens when another context than that of Sync has ended, and gives the cause.
func Done(other context.Context) Event[error] {
	return Event[error]{func(ctx context.Context) []alternative[error] {
		if other.Err() != nil {
			return Always(context.Cause(other)).alternatives(ctx)
		}
		over, shielded := stm.NewVar(false).Label("event.done"), env.WithoutCancel(ctx)
		return []alternative[error]{{
			ready: func(tx *stm.Tx) (finish[error], error) {
				if !over.Get(tx) {
					return nil, stm.ErrRetry
				}
				return value(context.Cause(other)), nil
			},
			begin: func() func() {
				stop := env.AfterFunc(other, func() {
					_ = stm.Do(shielded, func(tx *stm.Tx) error { over.Set(tx, true); return nil })
				})
				return func() { stop() }
			},
		}}
	}}
}

// Wrap is e with f applied to what it gives, after it has happened and outside of any transaction. An error of f is that
// of Sync.
func Wrap[A, B any](e Event[A], f func(A) (B, error)) Event[B] {
	if e.alternatives == nil {
		return Event[B]{}
	}
	after := func(first finish[A]) finish[B] {
		return func() (none B, err error) {
			a, err := first()
			if err != nil {
				return none, err
			}
			return f(a)
		}
	}
	return Event[B]{func(ctx context.Context) []alternative[B] {
		all := e.alternatives(ctx)
		wrapped := make([]alternative[B], len(all))
		for i, a := range all {
			wrapped[i] = wrap(a, after)
		}
		return wrapped
	}}
}

func wrap[A, B any](a alternative[A], after func(finish[A]) finish[B]) alternative[B] {
	w := alternative[B]{offer: a.offer, begin: a.begin}
	if a.ready != nil {
		w.ready = func(tx *stm.Tx) (finish[B], error) {
			f, err := a.ready(tx)
			if err != nil {
				return nil, err
			}
			return after(f), nil
		}
	}
	if a.met != nil {
		w.met = func(v any) finish[B] { return after(a.met(v)) }
	}
	if a.goChan != nil {
		w.goChan = wrapCase(a.goChan, after)
	}
	return w
}

// Guard is the event that f makes each time somebody synchronizes on it.
func Guard[T any](f func(ctx context.Context) Event[T]) Event[T] {
	return Event[T]{func(ctx context.Context) []alternative[T] {
		if e := f(ctx); e.alternatives != nil {
			return e.alternatives(ctx)
		}
		return nil
	}}
}

// Choose happens when one of its events does; of those that can at once, the first.
func Choose[T any](events ...Event[T]) Event[T] {
	return Event[T]{func(ctx context.Context) []alternative[T] {
		var all []alternative[T]
		for _, e := range events {
			if e.alternatives != nil {
				all = append(all, e.alternatives(ctx)...)
			}
		}
		return all
	}}
}
