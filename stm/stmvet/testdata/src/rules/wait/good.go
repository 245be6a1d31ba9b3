package wait

import (
	"context"

	"kit/registry"
	"kit/stm"
	"kit/sync/queue"
)

func good(ctx context.Context, t *registry.Task[int], q *queue.Queue[string]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		_, _, done := t.Poll(tx)
		tx.Check(done && q.Both(ctx, tx))
		q.Put(tx, registry.Path(ctx))
		own(ctx)
		_ = context.WithValue(ctx, 1, 2)
		return ctx.Err()
	})
	_ = q.Send(ctx, "x")
}

func own(ctx context.Context) {}
