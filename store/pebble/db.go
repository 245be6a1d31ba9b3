package pebble

import (
	"bytes"
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"

	cockroach "github.com/cockroachdb/pebble/v2"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
	"github.com/synodkit/synod/sync/queue"
)

// DB is an open store. It implements [store.Store].
type DB struct {
	dir    string
	pebble *cockroach.DB
	lock   *cockroach.Lock
	fuse   *fuse
	wedged atomic.Bool // pebble panicked and cannot be closed

	queueMax, queueBytesMax int
	memBytesMax             uint64 // of memory tables

	queue   *queue.Queue[item] // what the writer has not yet taken
	room    *gate.Semaphore    // bytes of what may still be queued
	duty    *gate.RWLock       // whoever has it commits: the daemon of the scope, or an Apply before that has begun or after it has ended
	ended   *stm.Var[bool]     // Close was called
	failure *stm.Var[error]    // the fuse's cause, to wait for
	epoch   *stm.Var[uint64]   // counts the background jobs of pebble
	roomy   uint64             // the epoch in which there was room; the writer's own
	bump    func()

	// A lock for readers made by hand: Get and Scan have no context to wait for a gate with, and a sync.RWMutex would hold up a Get inside a
	// Scan for ever once Close waits.
	mu      sync.Mutex // over the three below
	readers int
	closed  bool
	idle    chan struct{} // closed when the last reader has gone and closed is set
}

var _ store.Store = (*DB)(nil)

// Dir is the store's directory, with symbolic links resolved.
func (db *DB) Dir() string { return db.dir }

// Failed is the reason why the store has failed, or nil: something to wait for.
func (db *DB) Failed(tx *stm.Tx) error { return db.failure.Get(tx) }

// Get implements [store.Store].
func (db *DB) Get(key []byte) ([]byte, error) {
	if err := db.enter(); err != nil {
		return nil, err
	}
	defer db.leave()
	value, closer, err := db.pebble.Get(key)
	if errors.Is(err, cockroach.ErrNotFound) {
		return nil, store.ErrNotFound
	}
	if err != nil {
		return nil, db.readError(err)
	}
	out := append([]byte{}, value...)
	return out, closer.Close()
}

// Scan implements [store.Store].
func (db *DB) Scan(from, to []byte) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		if err := db.enter(); err != nil {
			yield(store.Entry{}, err)
			return
		}
		defer db.leave()
		o := new(cockroach.IterOptions)
		if len(from) > 0 { // pebble does not know empty bounds
			o.LowerBound = from
		}
		if len(to) > 0 {
			o.UpperBound = to
		}
		it, err := db.pebble.NewIter(o)
		if err != nil {
			yield(store.Entry{}, db.readError(err))
			return
		}
		defer func() { _ = it.Close() }() // its error was It.Error
		for ok := it.First(); ok; ok = it.Next() {
			value, err := it.ValueAndErr()
			if err != nil {
				yield(store.Entry{}, db.readError(err))
				return
			}
			if err := db.usable(); err != nil {
				yield(store.Entry{}, err)
				return
			}
			if !yield(store.Entry{Key: bytes.Clone(it.Key()), Value: append([]byte{}, value...)}, nil) {
				return
			}
		}
		if err := it.Error(); err != nil {
			yield(store.Entry{}, db.readError(err))
		}
	}
}

// Apply implements [store.Store]. The batch waits in the queue until the writer takes it, with all others there, for one commit.
func (db *DB) Apply(ctx context.Context, b *store.Batch, d store.Durability) (*store.Ticket, error) {
	if err := b.Freeze(); err != nil {
		return nil, err
	}
	it := item{b, d, store.NewTicket()}
	mine, err := stm.Atomically(ctx, func(tx *stm.Tx) (bool, error) {
		if err := db.failure.Get(tx); err != nil {
			return false, err
		}
		if _, err := db.queue.Put(tx, it); err != nil {
			return false, err
		}
		if !db.room.TryAcquire(tx, db.weight(it)) {
			return false, stm.ErrRetry
		}
		return db.duty.TryLock(tx), nil
	})
	if errors.Is(err, prop.ErrClosed) {
		return nil, store.ErrClosed
	}
	if err != nil {
		return nil, err
	}
	if mine {
		db.drain(env.WithoutCancel(ctx))
	}
	if d == store.Queued {
		return store.DoneTicket(nil), nil
	}
	return it.ticket, nil
}

// enter admits a reader.
func (db *DB) enter() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return store.ErrClosed
	}
	if err := db.fuse.cause(); err != nil {
		return err
	}
	db.readers++
	return nil
}

func (db *DB) leave() {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.readers--
	if db.readers == 0 && db.closed {
		close(db.idle)
	}
}

// usable reports whether a reader inside may go on.
func (db *DB) usable() error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if db.closed {
		return store.ErrClosed
	}
	return db.fuse.cause()
}
