package channel

import (
	"context"

	"kit/stm"
)

func bad(ctx context.Context, ch chan int, v *stm.Var[int]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		ch <- v.Get(tx)     // want `a send in a transaction: write a Var .* \[channel\]`
		v.Set(tx, <-ch)     // want `a receive in a transaction`
		for x := range ch { // want `a range over a channel in a transaction`
			v.Set(tx, x)
		}
		select { // want `a select in a transaction`
		case ch <- 1:
			ch <- 2 // want `a send`
		case x := <-ch:
			v.Set(tx, x)
		case <-ctx.Done():
		}
		if x, ok := <-ch; ok { // want `a receive`
			v.Set(tx, x)
		}
		close(ch) // want `a close in a transaction`
		return nil
	})
}
