package timeeffects

import (
	"context"
	"time"

	"kit/env"
	"kit/stm"
)

func bad(ctx context.Context, clock env.Clock, t *time.Timer) {
	_, _ = stm.Query(ctx, func(tx *stm.Tx) time.Time {
		at := time.Now()                   // want `time.Now in a transaction: env.Time\(tx\) is one instant for the whole run \[time\]`
		_ = time.Since(at)                 // want `time.Since`
		time.Sleep(1)                      // want `time.Sleep in a transaction: wait with tx.Check\(env.Reached\(tx, at\)\) \[time\]`
		time.AfterFunc(1, func() {})       // want `time.AfterFunc`
		t.Stop()                           // want `Timer.Stop`
		_ = env.Now(ctx)                   // want `env.Now`
		_ = clock.Now()                    // want `Clock.Now`
		_ = env.Sleep(ctx, 1)              // want `env.Sleep`
		_, _ = context.WithTimeout(ctx, 1) // want `context.WithTimeout`
		return at
	})
}
