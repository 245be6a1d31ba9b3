package pebble

import (
	"context"
	"errors"
	"fmt"
	"slices"

	cockroach "github.com/cockroachdb/pebble/v2"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Bounds on what waits inside pebble before the writer lets it catch up. Memory tables are counted by their bytes, in full ones: pebble begins with small
// ones, and flushes none before half of a full one is waiting, so many small ones wait for ever.
const (
	memTablesMax   = 4
	l0SublevelsMax = 20
)

// duty says who commits what is queued. Whenever it is nobody's, the queue is empty.
type duty uint8

const (
	nobody duty = iota
	writer      // the daemon of the scope
	caller      // an Apply, while the daemon has not begun or has already ended
)

// item is a queued batch.
type item struct {
	prev   *item // queued before it
	batch  *store.Batch
	level  store.Durability
	ticket *store.Ticket
}

// queue is what the writer has not yet taken, newest first: an immutable value.
type queue struct {
	newest  *item
	len     int
	bytes   int
	duty    duty
	closing bool
}

// run is the writer. When its scope is cancelled it ends, but not the store: tasks that still apply something on their way out
// commit it themselves, until Close.
func (db *DB) run(ctx context.Context, ready func()) error {
	free := env.WithoutCancel(ctx)
	mine, err := stm.Atomically(ctx, func(tx *stm.Tx) (bool, error) {
		q := db.queue.Get(tx)
		tx.Check(q.duty == nobody)
		if q.closing {
			return false, nil
		}
		q.duty = writer
		db.queue.Set(tx, q)
		return true, nil
	})
	if err == nil {
		ready() // not before: an Apply that finds nobody on duty commits, which cannot be cancelled
	}
	for mine && err == nil {
		var items []*item
		items, err = stm.Atomically(ctx, func(tx *stm.Tx) ([]*item, error) {
			q := db.queue.Get(tx)
			tx.Check(q.newest != nil || q.closing)
			return db.take(tx), nil
		})
		if len(items) == 0 {
			break
		}
		db.commit(free, items)
	}
	if mine {
		db.drain(free)
	}
	return err // that ctx has ended, if anything
}

// drain commits until the queue is empty and gives the duty up in the same transaction.
func (db *DB) drain(ctx context.Context) {
	for {
		items, err := stm.Atomically(ctx, func(tx *stm.Tx) ([]*item, error) {
			items := db.take(tx)
			if len(items) == 0 {
				db.queue.Update(tx, func(q queue) queue { q.duty = nobody; return q })
			}
			return items, nil
		})
		if err != nil || len(items) == 0 {
			return
		}
		db.commit(ctx, items)
	}
}

// take empties the queue; the items are in the order of Apply.
func (db *DB) take(tx *stm.Tx) []*item {
	q := db.queue.Get(tx)
	items := make([]*item, 0, q.len)
	for it := q.newest; it != nil; it = it.prev {
		items = append(items, it)
	}
	slices.Reverse(items)
	db.queue.Set(tx, queue{duty: q.duty, closing: q.closing})
	return items
}

// commit writes a group as one batch of pebble's, syncs if any of it asks for it, and completes the tickets in one
// transaction.
func (db *DB) commit(ctx context.Context, items []*item) {
	err := db.makeRoom(ctx)
	if err == nil {
		err = db.write(items)
	}
	if err != nil {
		db.fuse.blow(err)
	}
	// A sync that failed anywhere takes the whole store: also what this group pretends to have written.
	err = db.fuse.cause()
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		for _, it := range items {
			it.ticket.Complete(tx, err)
		}
		return nil
	})
}

func (db *DB) write(items []*item) (err error) {
	defer func() {
		if r := recover(); r != nil { // pebble's locks are lost
			db.wedged.Store(true)
			err = fmt.Errorf("panic: %v", r)
		}
	}()
	size, sync := 0, cockroach.NoSync
	for _, it := range items {
		size += it.batch.SizeBytes()
		if it.level > store.Queued {
			sync = cockroach.Sync // see Durability in the package comment
		}
	}
	b := db.pebble.NewBatchWithSize(size + 64)
	defer func() { err = errors.Join(err, b.Close()) }()
	for _, it := range items {
		for op := range it.batch.Ops() {
			if op.Delete {
				err = b.Delete(op.Key, nil)
			} else {
				err = b.Set(op.Key, op.Value, nil)
			}
			if err != nil {
				return err
			}
		}
	}
	return b.Commit(sync)
}

// makeRoom waits until pebble's background work has caught up, or the store has failed.
func (db *DB) makeRoom(ctx context.Context) error {
	for {
		if err := db.fuse.cause(); err != nil {
			return err
		}
		epoch := db.epoch.Load(ctx)
		if epoch == db.roomy {
			return nil
		}
		m := db.pebble.Metrics()
		if m.MemTable.Size <= db.memBytesMax && m.Levels[0].Sublevels <= l0SublevelsMax {
			db.roomy = epoch
			return nil
		}
		err := stm.Do(ctx, func(tx *stm.Tx) error {
			tx.Check(db.epoch.Get(tx) != epoch || db.failure.Get(tx) != nil)
			return nil
		})
		if err != nil {
			return err
		}
	}
}
