package channel

import (
	"context"

	"kit/stm"
)

func good(ctx context.Context, ch chan int, v *stm.Var[chan int]) {
	x := <-ch
	ch <- x
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		made := make(chan int, cap(ch)+len(ch)+x)
		v.Set(tx, made)
		for range []int{1} {
			close := func(chan int) {}
			close(made)
		}
		tx.OnCommit(func() { close(made) })
		return ctx.Err()
	})
	select {
	case <-ctx.Done():
	default:
		close(ch)
	}
}
