package stm

import (
	"context"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// Poll is Query for a goroutine that also selects on Go channels. If q returns, its value is returned and the Waiter is
// nil. If q retries, the Waiter's channel closes once something that q has read changes; Poll again then, and Stop the
// Waiter in any case. In a simulation Poll fails with ErrSimulated.
func Poll[T any](ctx context.Context, q func(tx *Tx) T) (T, *Waiter, error) {
	var zero T
	if seam.From(ctx) != nil {
		return zero, nil, ErrSimulated
	}
	tx := acquire()
	if tx.extra != nil {
		q = checkedQuery(q)
	}
	tx.begin()
	for {
		r := attemptQuery(tx, q)
		if tx.end == finished && tx.commit() {
			tx.finish()
			return r, nil, nil
		}
		_ = tx.ends(nil)
		if tx.end == retried {
			if w := tx.waiter(); w != nil {
				return zero, w, nil
			}
			tx.end = aborted
		}
		var err error
		if tx, err = tx.again(ctx); err != nil {
			return zero, nil, err
		}
	}
}

// Waiter is a wait for a change, as a channel.
type Waiter struct {
	w     wait
	timer *time.Timer
}

// C is closed when something has changed, or when the query's instant has come.
func (w *Waiter) C() <-chan struct{} { return w.w.ch }

// Stop ends the wait. It may be called more than once; C stays as it is.
func (w *Waiter) Stop() {
	w.w.unregister()
	if w.timer != nil {
		w.timer.Stop()
	}
}

// waiter turns a retried run into a Waiter, or gives nil if something read has changed meanwhile.
func (tx *Tx) waiter() *Waiter {
	tx.settle()
	if len(tx.rs) == 0 && tx.alarm.IsZero() {
		says := tx.forever()
		tx.release()
		panic(says)
	}
	if seam.Running() {
		refuseOwned(tx.rs)
	}
	w := new(Waiter)
	w.w.take(tx)
	w.w.ch = make(chan struct{})
	if !w.w.register() {
		w.Stop()
		return nil
	}
	tx.release()
	if !w.w.alarm.IsZero() {
		w.timer = seam.StartTimer(w.w.alarm.Sub(seam.Now(nil)), w.w.fire)
	}
	return w
}
