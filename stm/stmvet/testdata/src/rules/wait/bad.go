package wait

import (
	"context"

	"kit/env"
	"kit/registry"
	"kit/stm"
	"kit/sync/queue"
)

func bad(ctx context.Context, t *registry.Task[int], q *queue.Queue[int]) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		_, _ = t.Wait(ctx)              // want `Task.Wait in a transaction: a body waits with tx.Check; call it outside \[wait\]`
		_ = q.Send(ctx, 1)              // want `Queue.Send`
		return env.Fault(ctx, "a site") // want `env.Fault`
	})
}
