package env

import (
	"context"
	"time"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/stm"
)

// Sleep waits until d has passed or ctx is done, and returns nil or the error of ctx. If ctx is done already it does
// not wait.
func Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return stm.Do(ctx, func(*stm.Tx) error { return stm.ErrRetry })
	}
	at := Now(ctx).Add(d)
	return stm.Do(ctx, func(tx *stm.Tx) error {
		if !Reached(tx, at) {
			return stm.ErrRetry
		}
		return nil
	})
}

// Timer is an instant to wait for in transactions. It costs nothing while nobody waits, and needs no Stop to be
// collected.
type Timer struct {
	at      time.Time
	stopped *stm.Var[bool]
	stop    func() bool
}

// NewTimer makes a timer that fires when d has passed.
func NewTimer(ctx context.Context, d time.Duration) *Timer {
	t := &Timer{at: Now(ctx).Add(d), stopped: stm.NewVar(false).Label("timer.stopped")}
	shielded := context.WithoutCancel(ctx)
	t.stop = func() bool { return t.stopIn(shielded) }
	return t
}

// Fired reports whether the instant has come before the timer was stopped. If it has not, the transaction's wait ends
// when it does.
func (t *Timer) Fired(tx *stm.Tx) bool { return !t.stopped.Get(tx) && Reached(tx, t.at) }

// Stop keeps the timer from firing and reports whether it did: false means that its instant had come, or that it was
// stopped before. Who waits for a stopped timer waits on for whatever else he waits for.
func (t *Timer) Stop() bool { return t.stop() }

func (t *Timer) stopIn(ctx context.Context) bool {
	kept, _ := stm.Query(ctx, func(tx *stm.Tx) bool { // cannot fail: it never waits
		if t.stopped.Get(tx) || !Time(tx).Before(t.at) {
			return false
		}
		t.stopped.Set(tx, true)
		return true
	})
	return kept
}

// WithTimeout derives a context that ends when d has passed in the world's time, or ctx ends, or it is cancelled.
func WithTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return seam.WithTimeout(ctx, d)
}
