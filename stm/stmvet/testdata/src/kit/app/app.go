// Package app stands beside stm and uses it like any other.
package app

import (
	"context"

	"kit/stm"
	"kit/sync/queue"
)

type session struct{ name string }

type key struct{}

func of(ctx context.Context) session { s, _ := ctx.Value(key{}).(session); return s }

func body(ctx context.Context, tx *stm.Tx, q *queue.Queue[string]) {
	q.Put(tx, of(ctx).name)
	_ = q.Send(ctx, "x") // want `Queue.Send in a transaction`
}
