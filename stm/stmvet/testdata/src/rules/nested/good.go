package nested

import (
	"context"

	"kit/stm"
)

func good(ctx context.Context, v *stm.Var[int]) {
	_ = v.Load(ctx)
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		_ = stm.OrElse(tx, v.Get, func(tx *stm.Tx) int { return 1 })
		_, _ = stm.Select(tx, func(tx *stm.Tx) (int, error) { return v.Get(tx), nil })
		tx.OnCommit(func() {
			_ = stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, 1); return nil })
			_ = v.Load(ctx)
		})
		return stm.Try(tx, func(tx *stm.Tx) error { v.Update(tx, func(n int) int { return n + 1 }); return nil })
	})
}
