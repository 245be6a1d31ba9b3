package storetest

import (
	"context"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// Slow is a store with latency for simulations: a batch can be read at once and is durable some milliseconds later. It can stop working at one of
// its operations, with or without that having become durable. For files, torn writes and lost syncs see package sim/simdisk.
type Slow struct {
	*store.Memory               // what can be read
	Durable       *store.Memory // what a restart finds

	StopAt  int            // operation, from 1; 0 is never
	Effect  bool           // the operation becomes durable, though nobody is told
	Eager   bool           // a bug to plant: tickets are done before the batch is durable
	Stopped *stm.Var[bool] // it has

	queue *queue.Queue[slowBatch] // the one in hand is its first
}

type slowBatch struct {
	batch  *store.Batch
	ticket *store.Ticket
}

// slowQueueMax is how many batches may be on their way; then Apply waits.
const slowQueueMax = 4

// NewSlow makes a store that holds a copy of content, and works as a daemon of s. Set its fields before it is used.
func NewSlow(ctx context.Context, s *registry.Scope, content *store.Memory) (*Slow, error) {
	d := &Slow{
		Memory: content.Reopen(), Durable: content.Reopen(), Stopped: stm.NewVar(false).Label("disk.stopped"),
		queue: queue.FIFO(slowQueueMax, queue.Wait[slowBatch]()).Label("disk.queue"),
	}
	return d, s.Daemon(ctx, "disk", func(ctx context.Context, ready func()) error {
		ready()
		return d.run(ctx)
	})
}

// Apply implements store.Store.
func (d *Slow) Apply(ctx context.Context, b *store.Batch, level store.Durability) (*store.Ticket, error) {
	if err := b.Freeze(); err != nil {
		return nil, err
	}
	q := slowBatch{b, store.NewTicket()}
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		if level < store.Durable {
			q.ticket.Complete(tx, nil)
		}
		_, err := d.queue.Put(tx, q)
		return err
	})
	if err != nil {
		return nil, err
	}
	return q.ticket, copyBatch(ctx, d.Memory, b)
}

// Idle reports whether all that was applied is durable.
func (d *Slow) Idle(tx *stm.Tx) bool { return d.queue.Len(tx) == 0 }

func (d *Slow) run(ctx context.Context) error {
	for op := 1; ; op++ {
		q, err := stm.Atomically(ctx, d.first)
		if err != nil {
			return err
		}
		if d.Eager {
			if err := complete(ctx, q); err != nil {
				return err
			}
		}
		if err := env.Sleep(ctx, time.Duration(1+env.Rand(ctx).IntN(5))*time.Millisecond); err != nil {
			return err
		}
		if op != d.StopAt || d.Effect {
			if err := copyBatch(ctx, d.Durable, q.batch); err != nil {
				return err
			}
		}
		if op == d.StopAt {
			return stm.Do(ctx, func(tx *stm.Tx) error { d.Stopped.Set(tx, true); return nil })
		}
		if err := complete(ctx, q); err != nil {
			return err
		}
		if _, err := prop.Recv(ctx, d.queue); err != nil {
			return err
		}
	}
}

// first waits for the oldest batch, which stays.
func (d *Slow) first(tx *stm.Tx) (slowBatch, error) {
	for q := range d.queue.All(tx) {
		return q, nil
	}
	return slowBatch{}, stm.ErrRetry
}

func complete(ctx context.Context, q slowBatch) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { q.ticket.Complete(tx, nil); return nil })
}

// copyBatch applies what b holds to m.
func copyBatch(ctx context.Context, m *store.Memory, b *store.Batch) error {
	c := new(store.Batch)
	for op := range b.Ops() {
		if op.Delete {
			c.Delete(op.Key)
		} else {
			c.Put(op.Key, op.Value)
		}
	}
	_, err := m.Apply(ctx, c, store.Durable)
	return err
}
