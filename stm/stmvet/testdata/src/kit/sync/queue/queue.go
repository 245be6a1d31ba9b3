package queue

import (
	"context"

	"kit/stm"
)

type Queue[T any] struct{ items stm.Var[[]T] }

func (q *Queue[T]) Put(tx *stm.Tx, x T)                       { q.items.Set(tx, append(q.items.Get(tx), x)) }
func (q *Queue[T]) Send(ctx context.Context, x T) error       { return nil }
func (q *Queue[T]) Both(ctx context.Context, tx *stm.Tx) bool { return true }
