package timeeffects

import (
	"context"
	"time"

	"kit/env"
	"kit/stm"
)

func good(ctx context.Context, t *env.Timer) {
	from := time.Now()
	_, _ = stm.Query(ctx, func(tx *stm.Tx) time.Duration {
		tx.Check(env.Reached(tx, from.Add(time.Second)) || t.Fired(tx))
		_ = time.Unix(0, 0).Before(tx.Now())
		_ = env.WithoutCancel(ctx)
		_ = env.ClockOf(ctx)
		tx.OnCommit(func() { _ = env.Now(ctx) })
		return env.Time(tx).Sub(from)
	})
	_ = env.Sleep(ctx, 1)
}
