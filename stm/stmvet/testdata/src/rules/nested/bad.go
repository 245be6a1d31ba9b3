package nested

import (
	"context"

	"kit/env"
	"kit/stm"
)

func bad(ctx context.Context, v *stm.Var[int], t *env.Timer) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		_, _ = stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return 0, nil }) // want `stm.Atomically in a transaction: call a function of this tx.* \[nested\]`
		_, _ = stm.Query(ctx, v.Get)                                                // want `stm.Query`
		_, _, _ = stm.Poll(ctx, v.Get)                                              // want `stm.Poll`
		for range stm.Watch(ctx, v.Get) {                                           // want `stm.Watch`
			break
		}
		_ = v.Load(ctx) // want `Var.Load in a transaction: Var.Get\(tx\) reads`
		tx.OnCommit(func() {
			_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, v.Load(ctx)); return nil }) // want `Var.Load`
		})
		t.Stop()                                 // want `Timer.Stop`
		return stm.Do(ctx, func(*stm.Tx) error { // want `stm.Do`
			return stm.Do(ctx, nil) // want `stm.Do`
		})
	})
}
