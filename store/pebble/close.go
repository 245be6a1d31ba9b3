package pebble

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// Close implements [store.Store]. Of a failed store it reports the failure.
func (db *DB) Close() error {
	// Not to be interrupted: what is queued was promised.
	ctx := context.Background()
	first, err := stm.Atomically(ctx, func(tx *stm.Tx) (bool, error) {
		first := !db.ended.Get(tx)
		db.ended.Set(tx, true)
		db.queue.Close(tx)
		return first, nil
	})
	if err != nil || !first {
		return err
	}
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		tx.Check(db.duty.TryLock(tx)) // nobody's, and so all is committed
		return nil
	})
	return errors.Join(err, db.shut())
}

// shut waits for the readers and closes pebble.
func (db *DB) shut() error {
	db.mu.Lock()
	db.closed = true
	if db.readers == 0 {
		close(db.idle)
	}
	db.mu.Unlock()
	<-db.idle
	err := db.abandon()
	if cause := db.fuse.cause(); cause != nil {
		err = cause // the rest follows from it
	} else if err == nil {
		err = db.seal()
	}
	if e := db.lock.Close(); err == nil {
		err = e
	}
	if err != nil && !errors.Is(err, store.ErrFailed) {
		return fmt.Errorf("pebble: close %s: %w", db.dir, err)
	}
	return err
}

// seal marks the directory as closed. First all that is sealed goes to the disk: pebble syncs what it needs, but not what a failed
// attempt before has left, nor that files are gone.
func (db *DB) seal() error {
	names, err := sealedNames(db.fuse, db.dir)
	for _, name := range names {
		if err == nil && !isTable(name) {
			err = syncFile(db.fuse, db.fuse.PathJoin(db.dir, name))
		}
	}
	if err == nil {
		err = syncDir(db.fuse, db.dir)
	}
	var marker string
	if err == nil {
		marker, err = sealed(db.fuse, db.dir)
	}
	if err == nil && db.fuse.cause() == nil {
		err = writeMarker(db.fuse, db.dir, marker)
	}
	if cause := db.fuse.cause(); cause != nil {
		return cause
	}
	return err
}

// abandon closes pebble, if it is open and can be closed.
func (db *DB) abandon() error {
	close(db.fuse.closing)
	if db.pebble == nil || db.wedged.Load() {
		return nil
	}
	_, err := guarded(func() (struct{}, error) { return struct{}{}, db.pebble.Close() })
	return err
}
