package proptest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// Tasks lets producers and consumers loose on one primitive and compares what has happened, in the order of commits, with
// the model. It is a scenario for either world; in a simulation the seed decides everything.
func (k Kit) Tasks(ctx context.Context) error {
	s := k.subject(ctx, consumers)
	run := &run{subject: s, notes: stm.NewVar[*note](nil)}
	err := registry.Run(ctx, func(ctx context.Context, scope *registry.Scope) error {
		for c := range consumers {
			scope.Go("consumer", func(ctx context.Context) error { return run.consume(ctx, c) })
		}
		for p := range producers {
			scope.Go("producer", func(ctx context.Context) error { return run.produce(ctx, p) })
		}
		if err := env.Sleep(ctx, time.Duration(2+env.Choose(ctx, "open", 12))*tick); err != nil {
			return err
		}
		_, err := run.do(ctx, op{kind: closing})
		return err
	})
	if err != nil {
		return fmt.Errorf("%s: %w", k.Name, err)
	}
	return k.replay(ctx, run)
}

const (
	producers = 3
	consumers = 3
	putsMax   = 6
	tick      = 50 * time.Microsecond
)

// run is one primitive in use.
type run struct {
	subject
	notes *stm.Var[*note]
}

// note is what one operation has noted in its own transaction.
type note struct {
	op     op
	result result
	before *note
}

// do runs o, waits if it has to, and notes what came of it.
func (r *run) do(ctx context.Context, o op) (result, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (result, error) {
		got, err := r.subject.do(tx, o)
		if err == nil {
			r.notes.Set(tx, &note{o, got, r.notes.Get(tx)})
		}
		return got, err
	})
}

// hurried is do under a context that now and then ends soon. ok is false if nothing has happened because of that.
func (r *run) hurried(ctx context.Context, o op) (got result, ok bool, err error) {
	if env.Choose(ctx, "hurry", 3) > 0 {
		got, err = r.do(ctx, o)
		return got, err == nil, err
	}
	soon, cancel := env.WithTimeout(ctx, time.Duration(env.Choose(ctx, "patience", 3))*tick)
	defer cancel()
	got, err = r.do(soon, o)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return got, false, nil
	}
	return got, err == nil, err
}

func (r *run) produce(ctx context.Context, me int) error {
	for n := range putsMax {
		o := op{kind: put, value: value(putsMax*me+n, env.Choose(ctx, "class", classes))}
		got, _, err := r.hurried(ctx, o)
		if err != nil {
			return err
		}
		if got.err == prop.ErrClosed {
			return nil
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) consume(ctx context.Context, me int) error {
	for {
		got, _, err := r.hurried(ctx, op{kind: take, source: me})
		if err != nil || got.err == prop.ErrClosed {
			return err
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context) error {
	if n := env.Choose(ctx, "pause", 4); n > 0 {
		return env.Sleep(ctx, time.Duration(n)*tick)
	}
	return nil
}

// replay runs the model through what was noted.
func (k Kit) replay(ctx context.Context, r *run) error {
	var history []*note
	for n := r.notes.Load(ctx); n != nil; n = n.before {
		history = append(history, n)
	}
	m := k.model(r.sink.Props(), consumers)
	for i := len(history) - 1; i >= 0; i-- {
		n := history[i]
		if want := m.do(n.op); n.result != want {
			return fmt.Errorf("%s: step %d, %v gives %v, not %v", k.Name, len(history)-i, n.op, n.result, want)
		}
	}
	if last, _ := stm.Query(ctx, func(tx *stm.Tx) int { return len(r.left(tx)) }); last > 0 {
		return fmt.Errorf("%s: %d values are left after the last ErrClosed", k.Name, last)
	}
	return nil
}

// left takes what consumers that ended too early have left behind.
func (r *run) left(tx *stm.Tx) (left []int) {
	for i := range r.sources {
		for {
			got, err := stm.Select(tx, func(tx *stm.Tx) (result, error) {
				return r.subject.do(tx, op{kind: take, source: i})
			}, func(*stm.Tx) (result, error) { return result{err: errWaits}, nil })
			if err != nil || got.err != nil {
				break
			}
			left = append(left, got.value)
		}
	}
	return left
}
