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
func Atomically[T any](ctx context.Context, f func(tx *Tx) (T, error)) (T, error) {
	if w := seam.From(ctx); w != nil {
		return simulated(ctx, w, f)
	}
	tx := pool.Get().(*Tx)
	for {
		tx.begin()
		r, err, end := attempt(tx, f)
		if end == finished {
			if err != nil {
				tx.fail()
				return r, err
			}
			if tx.commit() {
				tx.finish()
				return r, nil
			}
			end = aborted
		}
		if err := tx.again(ctx, end); err != nil {
			tx.release()
			var zero T
			return zero, err
		}
	}
}

// Do is Atomically without a value.
func Do(ctx context.Context, f func(tx *Tx) error) error {
	_, err := Atomically(ctx, func(tx *Tx) (struct{}, error) { return struct{}{}, f(tx) })
	return err
}

// Query is one consistent look: stm.Query(ctx, sel.Tip). If q retries, it waits.
func Query[T any](ctx context.Context, q func(tx *Tx) T) (T, error) {
	return Atomically(ctx, func(tx *Tx) (T, error) { return q(tx), nil })
}

// attempt runs f once. A panic that is not the engine's passes through untouched, as Goexit does, leaving nothing
// locked, reserved or registered.
func attempt[T any](tx *Tx, f func(*Tx) (T, error)) (r T, err error, end outcome) {
	done := false
	defer func() {
		if done {
			return
		}
		if tx.end == finished || recover() == nil { // the user's panic; or Goexit while unwinding
			if tx.world != nil {
				tx.world.InTx(false)
			}
			tx.fail()
			return
		}
		end = tx.end
	}()
	r, err = f(tx)
	done = true
	if end = tx.end; end == finished && err != nil && isRetry(err) {
		end = retried
	}
	return r, err, end
}

// again prepares the next run: after a wait if the last one retried.
func (tx *Tx) again(ctx context.Context, end outcome) error {
	tx.mode, tx.stale = dead, true
	if tx.serial {
		tx.endSerial()
	}
	if end == retried {
		tx.tries = 0
		return tx.block(ctx)
	}
	if err := ended(ctx); err != nil {
		return err
	}
	tx.tries++
	if tx.tries >= escalateAfter {
		tx.escalate()
	} else if tx.tries > 2 {
		runtime.Gosched()
	}
	return nil
}

// finish is the end of a committed transaction.
func (tx *Tx) finish() {
	after := tx.after
	if len(after) == 0 {
		tx.release()
		return
	}
	tx.after = nil
	tx.release()
	for _, f := range after {
		f()
	}
}

// fail is the end of a transaction that leaves no trace.
func (tx *Tx) fail() {
	if tx.serial {
		tx.endSerial()
	}
	tx.release()
}
