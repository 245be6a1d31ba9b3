package pebble

import (
	"context"
	"errors"
	"fmt"

	cockroach "github.com/cockroachdb/pebble/v2"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/prop"
)

// Bounds on what waits inside pebble before the writer lets it catch up. Memory tables are counted by their bytes, in full ones: pebble begins with small
// ones, and flushes none before half of a full one is waiting, so many small ones wait for ever.
const (
	memTablesMax   = 4
	l0SublevelsMax = 20
)

// item is a queued batch.
type item struct {
	batch  *store.Batch
	level  store.Durability
	ticket *store.Ticket
}

// weight is what an item takes of the room in bytes: a batch larger than all of it comes alone.
func (db *DB) weight(it item) int { return max(1, min(it.batch.SizeBytes(), db.queueBytesMax)) }

// run is the writer. When its scope is cancelled it ends, but not the store: tasks that still apply something on their way out
// commit it themselves, until Close.
func (db *DB) run(ctx context.Context, ready func()) error {
	free := env.WithoutCancel(ctx)
	err := stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(db.duty.TryLock(tx)); return nil })
	if err != nil {
		return err
	}
	ready() // not before: an Apply that finds nobody on duty commits, which cannot be cancelled
	for err == nil {
		var items []item
		if items, err = stm.Atomically(ctx, db.group); err == nil {
			db.commit(free, items)
		}
	}
	db.drain(free)
	if errors.Is(err, prop.ErrClosed) {
		return nil
	}
	return err // that ctx has ended
}

// drain commits until the queue is empty and gives the duty up in the same transaction: whenever it is nobody's, nothing waits.
func (db *DB) drain(ctx context.Context) {
	for {
		items, err := stm.Atomically(ctx, func(tx *stm.Tx) ([]item, error) {
			items := db.rest(tx, nil)
			if len(items) == 0 {
				db.duty.Unlock(tx)
			}
			return items, nil
		})
		if err != nil || len(items) == 0 {
			return
		}
		db.commit(ctx, items)
	}
}

// group waits for a batch and takes all that are there with it, in the order of Apply.
func (db *DB) group(tx *stm.Tx) ([]item, error) {
	first, err := db.queue.Take(tx)
	if err != nil {
		return nil, err
	}
	return db.rest(tx, []item{first}), nil
}

// rest takes what is in the queue behind what has been taken, and gives the room of all back.
func (db *DB) rest(tx *stm.Tx, items []item) []item {
	items = append(items, prop.Rest(tx, db.queue, db.queueMax)...)
	for _, it := range items {
		db.room.Release(tx, db.weight(it))
	}
	return items
}

// commit writes a group as one batch of pebble's, syncs if any of it asks for it, and completes the tickets in one
// transaction.
func (db *DB) commit(ctx context.Context, items []item) {
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

func (db *DB) write(items []item) (err error) {
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
