package registry

import (
	"context"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// promise is a value that comes once.
type promise[T any] struct{ v *stm.Var[*T] }

func promised[T any](label string) promise[T] { return promise[T]{stm.NewVar[*T](nil).Label(label)} }

// keep gives the value, unless there is one, even if ctx has ended.
func (p promise[T]) keep(ctx context.Context, x T) (first bool) {
	first, _ = stm.Query(env.WithoutCancel(ctx), func(tx *stm.Tx) bool { // cannot fail: it never waits
		if p.v.Get(tx) != nil {
			return false
		}
		p.v.Set(tx, &x)
		return true
	})
	return first
}

// poll is the value, or nil.
func (p promise[T]) poll(tx *stm.Tx) *T { return p.v.Get(tx) }

// wait waits for the value or the end of ctx.
func (p promise[T]) wait(ctx context.Context) (x T, err error) {
	got, err := stm.Query(ctx, func(tx *stm.Tx) *T { tx.Check(p.v.Get(tx) != nil); return p.v.Get(tx) })
	if err == nil {
		x = *got
	}
	return x, err
}
