package gostmt

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"kit/registry"
	"kit/stm"
)

func bad(ctx context.Context, s *registry.Scope, wg *sync.WaitGroup, g *errgroup.Group, v *stm.Var[int]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		n := v.Get(tx)
		go func() { println(n) }()                    // want `a go statement in a transaction: start it outside, .* \[go\]`
		wg.Go(func() {})                              // want `WaitGroup.Go`
		g.Go(func() error { println(n); return nil }) // want `Group.Go`
		s.Go("x", func(ctx context.Context) error {   // want `Scope.Go`
			return stm.Do(ctx, func(tx *stm.Tx) error { v.Set(tx, n); return nil })
		})
		registry.Fork(s, "x", func(context.Context) (int, error) { return n, nil }) // want `registry.Fork`
		return registry.Run(ctx, nil)                                               // want `registry.Run`
	})
}
