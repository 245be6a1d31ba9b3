package cell

import (
	"cmp"
	"context"
	"fmt"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// ErrAbandoned is what waiting for a promise fails with if it was closed without a value. It is a prop.ErrClosed.
var ErrAbandoned = fmt.Errorf("cell: promise abandoned: %w", prop.ErrClosed)

// Promise is a value that is still to come, once. It is a prop.Sink.
type Promise[T any] struct{ outcome *stm.Var[*outcome[T]] }

// outcome is how a promise has ended.
type outcome[T any] struct {
	value T
	err   error
}

// NewPromise makes a promise. Who makes it sees to its being kept: by Put, by Close, or by Fulfil, which is both.
func NewPromise[T any]() *Promise[T] {
	return &Promise[T]{stm.NewVar[*outcome[T]](nil).Label("promise")}
}

// NewKept makes a promise that is kept already.
func NewKept[T any](v T) *Promise[T] {
	return &Promise[T]{stm.NewVar(&outcome[T]{value: v}).Label("promise")}
}

// NewBroken makes a promise that is abandoned already, for a reason.
func NewBroken[T any](err error) *Promise[T] {
	return &Promise[T]{stm.NewVar(&outcome[T]{err: cmp.Or(err, ErrAbandoned)}).Label("promise")}
}

// Props is the promise's contract.
func (p *Promise[T]) Props() prop.Props {
	return prop.Props{Order: prop.FIFO, Capacity: 1, Full: prop.Rejects, Broadcast: true, Once: true}
}

// Put keeps the promise. It fails with prop.ErrClosed if the promise has been kept or abandoned before.
func (p *Promise[T]) Put(tx *stm.Tx, v T) (lost prop.Lost[T], err error) {
	if p.outcome.Get(tx) != nil {
		return lost, prop.ErrClosed
	}
	p.outcome.Set(tx, &outcome[T]{value: v})
	return lost, nil
}

// Close abandons the promise, unless it has been kept.
func (p *Promise[T]) Close(tx *stm.Tx) { p.Fail(tx, ErrAbandoned) }

// Fail abandons the promise for a reason, by default ErrAbandoned, unless it has been kept or abandoned before.
func (p *Promise[T]) Fail(tx *stm.Tx, err error) {
	if p.outcome.Get(tx) == nil {
		p.outcome.Set(tx, &outcome[T]{err: cmp.Or(err, ErrAbandoned)})
	}
}

// Await is the value, for everybody and each time. It waits until there is one, and fails with ErrAbandoned, or the
// reason of Fail, if there never will be.
func (p *Promise[T]) Await(tx *stm.Tx) (T, error) {
	if o := p.outcome.Get(tx); o != nil {
		return o.value, o.err
	}
	return stm.Select[T](tx) // no alternative: retries, without a panic
}

// Outcome is Await without waiting: done is false as long as Await would wait.
func (p *Promise[T]) Outcome(tx *stm.Tx) (v T, err error, done bool) {
	if o := p.outcome.Get(tx); o != nil {
		return o.value, o.err, true
	}
	return v, nil, false
}

// Fulfil keeps the promise with what f gives. However f ends otherwise, by an error, a panic or Goexit, the promise has
// failed when Fulfil returns, even if ctx has ended. f's error is returned.
func (p *Promise[T]) Fulfil(ctx context.Context, f func(ctx context.Context) (T, error)) (err error) {
	kept := false
	finish := func(g func(tx *stm.Tx)) {
		_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error { g(tx); return nil }) // cannot fail: it never waits
	}
	defer func() {
		if !kept {
			finish(p.Close)
		}
	}()
	v, err := f(ctx)
	kept = true
	finish(func(tx *stm.Tx) {
		if err != nil {
			p.Fail(tx, err)
			return
		}
		_, _ = p.Put(tx, v) // somebody else was faster: his value stands
	})
	return err
}

// Reader gives the value once, and then prop.ErrClosed.
func (p *Promise[T]) Reader() prop.Source[T] { return &promised[T]{p, stm.NewVar(false)} }

type promised[T any] struct {
	promise *Promise[T]
	seen    *stm.Var[bool]
}

func (r *promised[T]) Props() prop.Props { return r.promise.Props() }

func (r *promised[T]) Take(tx *stm.Tx) (none T, err error) {
	if r.seen.Get(tx) {
		return none, prop.ErrClosed
	}
	v, err := r.promise.Await(tx)
	if err == nil {
		r.seen.Set(tx, true)
	}
	return v, err
}
