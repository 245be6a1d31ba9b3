package registry

import (
	"context"
	"reflect"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// Task is a task with a result.
type Task[T any] struct {
	cancel context.CancelCauseFunc
	result *stm.Var[*result[T]]
}

type result[T any] struct {
	value T
	err   error
}

// Fork starts f as a task that can be waited for. Its failure is one of the scope's, as with [Scope.Go]; waiting for it
// gives the same error again, which a body may return without its being reported twice. In a closing scope f does not
// run, and the result is a *ClosedError.
func Fork[T any](s *Scope, name string, f func(ctx context.Context) (T, error)) *Task[T] {
	t := &Task[T]{result: stm.NewVar[*result[T]](nil).Label(name + ".result")}
	m := new(more)
	m.ctx, m.cancel = seam.WithCancel(s.ctx)
	t.cancel = m.cancel
	var value T
	shielded := s.shielded()
	publish := func(err error) {
		_ = stm.Do(shielded, func(tx *stm.Tx) error { // cannot fail: it never waits
			t.result.Set(tx, &result[T]{value, err})
			return nil
		})
	}
	e := &entry{scope: s, name: name, kind: task, code: reflect.ValueOf(f).Pointer()}
	e.more.Store(m)
	if closed := s.place(e, 1); closed != nil {
		t.cancel(nil)
		publish(closed)
		s.refuse(closed)
		return t
	}
	run := func(ctx context.Context) (err error) {
		value, err = f(ctx)
		return err
	}
	s.start(e, func() { e.turn(run, nil, publish) })
	return t
}

// Poll is the task's result, and whether there is one yet. Who wants to wait for it retries:
// v, err, done := t.Poll(tx); tx.Check(done).
func (t *Task[T]) Poll(tx *stm.Tx) (value T, err error, done bool) {
	r := t.result.Get(tx)
	if r == nil {
		return value, nil, false
	}
	return r.value, r.err, true
}

// Wait waits for the task's end, or for that of ctx, and returns the result.
func (t *Task[T]) Wait(ctx context.Context) (T, error) {
	r, err := stm.Query(ctx, func(tx *stm.Tx) *result[T] {
		r := t.result.Get(tx)
		tx.Check(r != nil)
		return r
	})
	if err != nil {
		var zero T
		return zero, err
	}
	return r.value, r.err
}

// Cancel ends the task's context with a cause and does not wait. What the task then returns because of it is its
// result, but no failure of the scope.
func (t *Task[T]) Cancel(cause error) { t.cancel(cause) }
