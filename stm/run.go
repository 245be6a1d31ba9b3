package stm

import (
	"context"
	"runtime"

	"github.com/synodkit/synod/internal/seam"
)

// Atomically runs f as one transaction: its reads and writes happen at one moment, or not at all. An error rolls back
// and is returned. f may run several times, and must have no other effects than on Vars; see the package comment.
//
// ctx interrupts waiting and reruns, never a transaction that can commit at its first run; the error then unwraps to
// ctx.Err() and to context.Cause(ctx).
func Atomically[T any](ctx context.Context, f func(tx *Tx) (T, error)) (r T, err error) {
	if seam.From(ctx) != nil {
		return simulated(ctx, f)
	}
	tx := acquire()
	if tx.extra != nil {
		f = checked(f)
	}
	tx.begin()
	for {
		r, err = attempt(tx, f)
		if err == nil && tx.end == finished && tx.commit() {
			tx.finish()
			return r, nil
		}
		if tx.ends(err) {
			return r, err
		}
		if tx, err = tx.again(ctx); err != nil {
			var zero T
			return zero, err
		}
	}
}

// Do is Atomically without a value.
func Do(ctx context.Context, f func(tx *Tx) error) (err error) {
	if seam.From(ctx) != nil {
		_, err = simulated(ctx, func(tx *Tx) (struct{}, error) { return struct{}{}, f(tx) })
		return err
	}
	tx := acquire()
	if tx.extra != nil {
		f = checkedDo(f)
	}
	tx.begin()
	for {
		err = attemptDo(tx, f)
		if err == nil && tx.end == finished && tx.commit() {
			if tx.plain() {
				tx.rest()
			} else {
				tx.finish()
			}
			return nil
		}
		if tx.ends(err) {
			return err
		}
		if tx, err = tx.again(ctx); err != nil {
			return err
		}
	}
}

// Query is one consistent look: stm.Query(ctx, sel.Tip). If q retries, it waits.
func Query[T any](ctx context.Context, q func(tx *Tx) T) (r T, err error) {
	if seam.From(ctx) != nil {
		return simulated(ctx, func(tx *Tx) (T, error) { return q(tx), nil })
	}
	tx := acquire()
	if tx.extra != nil {
		q = checkedQuery(q)
	}
	tx.begin()
	for {
		r = attemptQuery(tx, q)
		if tx.plain() {
			tx.rest()
			return r, nil
		}
		if tx.end == finished && tx.commit() {
			tx.finish()
			return r, nil
		}
		_ = tx.ends(nil)
		if tx, err = tx.again(ctx); err != nil {
			var zero T
			return zero, err
		}
	}
}

// attempt, attemptDo and attemptQuery are one run. How it ended stands in tx.end. There are three of them because every
// call counts here. A panic that is not the engine's passes through untouched, as Goexit does, leaving nothing locked,
// reserved or registered.
func attempt[T any](tx *Tx, f func(*Tx) (T, error)) (r T, err error) {
	done := false
	defer func() {
		if !done && (tx.end == finished || recover() == nil) { // the user's panic; or Goexit while unwinding
			tx.fail()
		}
	}()
	r, err = f(tx)
	done = true
	return r, err
}

func attemptDo(tx *Tx, f func(*Tx) error) (err error) {
	done := false
	defer func() {
		if !done && (tx.end == finished || recover() == nil) {
			tx.fail()
		}
	}()
	err = f(tx)
	done = true
	return err
}

func attemptQuery[T any](tx *Tx, q func(*Tx) T) (r T) {
	done := false
	defer func() {
		if !done && (tx.end == finished || recover() == nil) {
			tx.fail()
		}
	}()
	r = q(tx)
	done = true
	return r
}

// ends gives up the transaction if it has failed with err. Otherwise tx.end says why there must be another run.
func (tx *Tx) ends(err error) bool {
	switch {
	case tx.end != finished:
	case err == nil:
		tx.end = aborted
	case isRetry(err):
		tx.end = retried
	default:
		tx.fail()
		return true
	}
	return false
}

// again prepares the next run: after a wait if the last one retried. It may go on in another Tx. An error ends the
// transaction.
func (tx *Tx) again(ctx context.Context) (*Tx, error) {
	end := tx.end
	tx.settle()
	if end == retried {
		tx.tries = 0
		return tx.block(ctx)
	}
	if err := ended(ctx); err != nil {
		tx.release()
		return nil, err
	}
	tx.yield()
	tx.restart()
	return tx, nil
}

// settle ends a run that is not the last of its transaction.
func (tx *Tx) settle() {
	tx.kill()
	tx.endUnusual()
}

// yield makes room for the others after a lost run, or sees to it that the next one is not lost.
func (tx *Tx) yield() {
	tx.tries++
	switch {
	case tx.tries >= escalateAfter:
		tx.escalate()
	case (tx.tries >= pinAfter || len(tx.rs) >= longRun) && len(tx.ws) == 0 && !tx.wrote:
		tx.pin()
	case tx.tries > 2:
		runtime.Gosched()
	}
}

// endUnusual ends what sets a serial or pinned run apart.
func (tx *Tx) endUnusual() {
	switch tx.normal {
	case serial:
		tx.endSerial()
	case pinned:
		tx.unpin()
	}
}

// finish is the end of a committed transaction.
func (tx *Tx) finish() {
	if len(tx.after) == 0 {
		tx.release()
		return
	}
	after := tx.after
	tx.after = nil
	tx.release()
	for _, f := range after {
		f()
	}
}

// fail is the end of a transaction that leaves no trace.
func (tx *Tx) fail() {
	if tx.world != nil {
		tx.world.InTx(false)
	}
	tx.endUnusual()
	tx.release()
}
