package registry

import (
	"context"
	"reflect"

	"github.com/synodkit/synod/stm"
)

// Task is a task with a result.
type Task[T any] struct {
	cancel context.CancelCauseFunc
	result promise[result[T]]
}

type result[T any] struct {
	value T
	err   error
}

// Fork starts f as a task that can be waited for. Its failure is one of the scope's, as with [Scope.Go]; waiting for it
// gives the same error again, which a body may return without its being reported twice. In a closing scope f does not
// run, and the result is a *ClosedError.
func Fork[T any](s *Scope, name string, f func(ctx context.Context) (T, error)) *Task[T] {
	t := &Task[T]{result: promised[result[T]](name + ".result")}
	e := s.entryWithContext(task, name, reflect.ValueOf(f).Pointer())
	m := e.more.Load()
	m.result, t.cancel = addressOf(t.result.v), m.cancel
	var r result[T]
	run := func(ctx context.Context) (err error) {
		r.value, err = f(ctx)
		return err
	}
	publish := func(err error) {
		r.err = err
		t.result.keep(e, r)
	}
	if closed := s.spawn(e, run, nil, publish); closed != nil {
		publish(closed)
		s.refuse(closed)
	}
	return t
}

// Poll is the task's result, and whether there is one yet. Who wants to wait for it retries:
// v, err, done := t.Poll(tx); tx.Check(done).
func (t *Task[T]) Poll(tx *stm.Tx) (value T, err error, done bool) {
	r := t.result.poll(tx)
	if r == nil {
		return value, nil, false
	}
	return r.value, r.err, true
}

// Wait waits for the task's end, or for that of ctx, and returns the result.
func (t *Task[T]) Wait(ctx context.Context) (T, error) {
	r, err := t.result.wait(ctx)
	if err != nil {
		return r.value, err
	}
	return r.value, r.err
}

// Cancel ends the task's context with a cause and does not wait. What the task then returns because of it is its
// result, but no failure of the scope.
func (t *Task[T]) Cancel(cause error) { t.cancel(cause) }
