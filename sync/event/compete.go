package event

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// Spawn starts a task that somebody owns: the method Go of a registry.Scope.
type Spawn func(name string, f func(ctx context.Context) error)

// ErrLost is the cause for which tasks are cancelled when it is decided without them.
var ErrLost = errors.New("event: decided without this task")

// ErrNoReturn stands for the result of a task that panicked or ended its goroutine. Its owner is told more.
var ErrNoReturn = errors.New("event: a task did not return")

var errTooFew = errors.New("event: fewer tasks than results")

// All runs all tasks and gives their results, in the order of the tasks. The first failure cancels the others and is
// returned.
func All[T any](ctx context.Context, spawn Spawn, tasks ...func(ctx context.Context) (T, error)) ([]T, error) {
	ended, err := compete(ctx, spawn, tasks, func(ended []result[T]) bool {
		return len(ended) == len(tasks) || failures(ended) > 0
	})
	if err != nil {
		return nil, err
	}
	values := make([]T, len(tasks))
	for _, r := range ended {
		if r.err != nil {
			return nil, r.err
		}
		values[r.nth] = r.value
	}
	return values, nil
}

// Race runs all tasks and gives the result of the first that ends, be it a value or an error.
func Race[T any](ctx context.Context, spawn Spawn, tasks ...func(ctx context.Context) (T, error)) (none T, err error) {
	if len(tasks) == 0 {
		return none, errTooFew
	}
	ended, err := compete(ctx, spawn, tasks, func(ended []result[T]) bool { return len(ended) > 0 })
	if err != nil {
		return none, err
	}
	return ended[0].value, ended[0].err
}

// FirstN runs all tasks and gives the first n values, in the order in which they came. As soon as too many tasks have
// failed for that, it returns their errors, joined.
func FirstN[T any](ctx context.Context, spawn Spawn, n int, tasks ...func(ctx context.Context) (T, error)) ([]T, error) {
	if n > len(tasks) {
		return nil, errTooFew
	}
	lost := func(ended []result[T]) bool { return len(tasks)-failures(ended) < n }
	ended, err := compete(ctx, spawn, tasks, func(ended []result[T]) bool {
		return len(ended)-failures(ended) >= n || lost(ended)
	})
	if err != nil {
		return nil, err
	}
	var values []T
	var errs []error
	for _, r := range ended {
		if r.err != nil {
			errs = append(errs, r.err)
		} else {
			values = append(values, r.value)
		}
	}
	if lost(ended) {
		return nil, errors.Join(errs...)
	}
	return values[:n], nil // more may have come before the others were cancelled
}

// WithTimeout runs f under a context that ends when d has passed, and waits for it also then. What f gives counts, also if
// it comes late.
func WithTimeout[T any](ctx context.Context, d time.Duration, f func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := env.WithTimeout(ctx, d)
	defer cancel()
	return f(ctx)
}

// task is one of those who compete.
type task[T any] = func(ctx context.Context) (T, error)

// result is how a task has ended.
type result[T any] struct {
	nth   int
	value T
	err   error
}

func failures[T any](ended []result[T]) (n int) {
	for _, r := range ended {
		if r.err != nil {
			n++
		}
	}
	return n
}

// contest is tasks that compete.
type contest[T any] struct {
	begun *stm.Var[[]context.CancelCauseFunc] // of the tasks that run or have run
	over  *stm.Var[bool]                      // no task begins any more
	ended *stm.Var[[]result[T]]               // in the order in which they ended
}

// compete runs tasks until it is decided, cancels the others and waits for them. It gives those that had ended when it was
// decided. With an error from ctx it has waited for them too.
func compete[T any](ctx context.Context, spawn Spawn, tasks []task[T], decided func([]result[T]) bool) ([]result[T], error) {
	c := &contest[T]{
		stm.NewVar[[]context.CancelCauseFunc](nil), stm.NewVar(false),
		stm.NewVar[[]result[T]](nil).Label("event.ended"),
	}
	defer c.join(ctx)
	for i, f := range tasks {
		spawn(fmt.Sprint("task-", i), func(ctx context.Context) error { return c.run(ctx, i, f) })
	}
	return stm.Query(ctx, func(tx *stm.Tx) []result[T] {
		ended := c.ended.Get(tx)
		tx.Check(decided(ended))
		return ended
	})
}

// join keeps tasks that have not begun from beginning, cancels those that have, and waits for them.
func (c *contest[T]) join(ctx context.Context) {
	var begun []context.CancelCauseFunc
	surely(ctx, func(tx *stm.Tx) {
		begun = c.begun.Get(tx)
		c.over.Set(tx, true)
	})
	why := ErrLost
	if ctx.Err() != nil {
		why = context.Cause(ctx)
	}
	for _, cancel := range begun {
		cancel(why)
	}
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
		tx.Check(len(c.ended.Get(tx)) == len(begun))
		return nil
	})
}

// run is the task of one of those who compete. It never fails by itself: what f returns is for the contest alone.
func (c *contest[T]) run(ctx context.Context, nth int, f func(ctx context.Context) (T, error)) error {
	ctx, cancel := env.WithCancelCause(ctx)
	defer cancel(nil)
	begins := false
	surely(ctx, func(tx *stm.Tx) {
		if begins = !c.over.Get(tx); begins {
			c.begun.Set(tx, append(slices.Clip(c.begun.Get(tx)), cancel))
		}
	})
	if !begins {
		return nil
	}
	r := result[T]{nth: nth, err: ErrNoReturn}
	defer func() {
		surely(ctx, func(tx *stm.Tx) { c.ended.Set(tx, append(slices.Clip(c.ended.Get(tx)), r)) })
	}()
	r.value, r.err = f(ctx)
	return nil
}
