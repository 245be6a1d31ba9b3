package mempool

import (
	"bytes"
	"context"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// slowDisk is a store with latency for simulations: a batch can be read at once and is durable some milliseconds later. It can stop working at
// one of its operations, with or without that having become durable; what was durable then is what a restart finds.
type slowDisk struct {
	*store.Memory // what can be read
	durable       *store.Memory
	queue         *stm.Var[[]queued]

	stopAt  int  // operation, from 1; 0 is never
	effect  bool // the operation becomes durable, though nobody is told
	eager   bool // a bug to plant: tickets are done before the batch is durable
	stopped *stm.Var[bool]
}

type queued struct {
	batch  *store.Batch
	ticket *store.Ticket
}

func newSlowDisk(ctx context.Context, s *registry.Scope, content *store.Memory) (*slowDisk, error) {
	d := &slowDisk{
		Memory: content.Reopen(), durable: content.Reopen(), queue: stm.NewVar[[]queued](nil).Label("disk.queue"),
		stopped: stm.NewVar(false).Label("disk.stopped"),
	}
	return d, s.Daemon(ctx, "disk", func(ctx context.Context, ready func()) error {
		ready()
		return d.run(ctx)
	})
}

// Apply implements store.Store.
func (d *slowDisk) Apply(ctx context.Context, b *store.Batch, level store.Durability) (*store.Ticket, error) {
	if err := b.Freeze(); err != nil {
		return nil, err
	}
	q := queued{b, store.NewTicket()}
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		tx.Check(len(d.queue.Get(tx)) < 4)
		d.queue.Update(tx, func(qs []queued) []queued { return append(qs[:len(qs):len(qs)], q) })
		if level < store.Durable {
			q.ticket.Complete(tx, nil)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return q.ticket, copyBatch(ctx, d.Memory, b)
}

func (d *slowDisk) run(ctx context.Context) error {
	for op := 1; ; op++ {
		q, err := stm.Query(ctx, func(tx *stm.Tx) queued {
			qs := d.queue.Get(tx)
			tx.Check(len(qs) > 0)
			return qs[0]
		})
		if err != nil {
			return err
		}
		if d.eager {
			if err := d.done(ctx, q); err != nil {
				return err
			}
		}
		if err := env.Sleep(ctx, time.Duration(1+env.Rand(ctx).IntN(5))*time.Millisecond); err != nil {
			return err
		}
		if op != d.stopAt || d.effect {
			if err := copyBatch(ctx, d.durable, q.batch); err != nil {
				return err
			}
		}
		if op == d.stopAt {
			return stm.Do(ctx, func(tx *stm.Tx) error { d.stopped.Set(tx, true); return nil })
		}
		if err := d.done(ctx, q); err != nil {
			return err
		}
		if err := stm.Do(ctx, func(tx *stm.Tx) error {
			d.queue.Update(tx, func(qs []queued) []queued { return qs[1:] })
			return nil
		}); err != nil {
			return err
		}
	}
}

func (d *slowDisk) done(ctx context.Context, q queued) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { q.ticket.Complete(tx, nil); return nil })
}

// holds reports whether a value is durable.
func holds(s store.Store, value []byte) bool {
	for e, err := range s.Scan(nil, nil) {
		if err == nil && bytes.Equal(e.Value, value) {
			return true
		}
	}
	return false
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
