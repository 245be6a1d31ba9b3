package gostmt

import (
	"context"

	"kit/registry"
	"kit/stm"
)

func good(ctx context.Context, s *registry.Scope, t *registry.Task[int], v *stm.Var[int]) {
	n, _ := stm.Query(ctx, func(tx *stm.Tx) int {
		x, _, done := t.Poll(tx)
		tx.Check(done)
		tx.OnCommit(func() { go println(x) })
		return v.Get(tx)
	})
	go println(n)
	s.Go("x", func(ctx context.Context) error {
		return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, n); return nil })
	})
}
