package pebble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	cockroach "github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/queue"
)

// Open opens the store in dir, making it if dir does not exist or is empty, as a resource of s, which is closed in its turn when the
// scope ends. Its writer is a daemon of s.
//
// The error is ErrLocked, ErrCorrupt, ErrForeign or ErrVersion, wrapped with the directory, or the disk's. In none of these
// cases has anything in dir been changed but a lock file: an existing store is first read without writing.
func Open(s *registry.Scope, dir string, cfg Config) (*DB, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	var life context.Context // the scope's
	h, err := registry.Acquire(s, "store "+dir, func(ctx context.Context) (*DB, error) {
		life = ctx
		return open(ctx, dir, cfg)
	}, func(_ context.Context, db *DB) error { return db.Close() })
	if err != nil {
		return nil, err
	}
	db := h.Value()
	if err := s.Daemon(life, "store writer "+dir, db.run); err != nil {
		return nil, err // the scope is closing and closes the store
	}
	return db, nil
}

func open(ctx context.Context, dir string, cfg Config) (*DB, error) {
	dir, err := prepareDir(cfg.fs, dir)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg.fs, dir)
	if err != nil {
		return nil, err
	}
	db := newDB(env.WithoutCancel(ctx), dir, cfg)
	compactions, err := db.load(cfg, lock)
	if err != nil {
		_ = db.abandon() // its error would follow from err
		return nil, errors.Join(err, lock.Close())
	}
	db.lock = lock
	db.fuse.mode.Store(running)
	compactions.begin()
	return db, nil
}

// prepareDir makes the directory if need be, refuses one that is not ours, and returns its one real name.
func prepareDir(disk vfs.FS, dir string) (string, error) {
	if err := disk.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("pebble: open %s: %w", dir, err)
	}
	if disk == vfs.Default {
		// The lock is known to the process by its path: two names of one directory would be two locks.
		real, err := filepath.Abs(dir)
		if err == nil {
			real, err = filepath.EvalSymlinks(real)
		}
		if err != nil {
			return "", fmt.Errorf("pebble: open %s: %w", dir, err)
		}
		dir = real
	}
	_, err := readMarker(disk, dir)
	return dir, err
}

func lockDir(disk vfs.FS, dir string) (*cockroach.Lock, error) {
	lock, err := cockroach.LockDirectory(dir, disk)
	var trouble *fs.PathError
	switch {
	case err == nil:
		return lock, nil
	case errors.As(err, &trouble): // the lock file could not be made
		return nil, fmt.Errorf("pebble: open %s: %w", dir, err)
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrLocked, dir, err)
}

// load opens pebble in the locked directory.
func (db *DB) load(cfg Config, lock *cockroach.Lock) (*scheduler, error) {
	marker, err := readMarker(cfg.fs, db.dir) // again: it may have changed before the lock
	if err != nil {
		return nil, err
	}
	if marker == "" || marker == markerCreating {
		err = db.create(cfg, lock)
	} else {
		err = db.verify(cfg, lock, marker)
	}
	if err != nil {
		return nil, err
	}
	if err := writeMarker(db.fuse, db.dir, markerOpen); err != nil {
		return nil, fmt.Errorf("pebble: open %s: %w", db.dir, err)
	}
	o := db.options(cfg, db.fuse, lock)
	o.ErrorIfNotExists = true
	db.pebble, err = openPebble(db.dir, o)
	if cause := db.fuse.cause(); cause != nil {
		return nil, cause // the rest follows from it
	}
	if err != nil {
		return nil, openError(db.dir, err)
	}
	return o.Experimental.CompactionScheduler.(*scheduler), nil
}

// create makes an empty store and closes it again: pebble writes its first log, before it knows its own format, without what
// tells damage from a crash.
func (db *DB) create(cfg Config, lock *cockroach.Lock) error {
	err := writeMarker(db.fuse, db.dir, markerCreating)
	if err == nil {
		err = removeUnfinished(db.fuse, db.dir)
	}
	if err == nil {
		o := db.options(cfg, db.fuse, lock)
		o.ErrorIfExists = true
		var p *cockroach.DB
		if p, err = openPebble(db.dir, o); err == nil {
			err = p.Close()
		}
	}
	if cause := db.fuse.cause(); cause != nil {
		return cause
	}
	if err != nil {
		return fmt.Errorf("pebble: create %s: %w", db.dir, err)
	}
	return nil
}

// verify looks at an existing store without writing: at the seal, if it was closed, and then as pebble sees it.
func (db *DB) verify(cfg Config, lock *cockroach.Lock, marker string) error {
	if marker != markerOpen {
		now, err := sealed(cfg.fs, db.dir)
		if err != nil {
			return openError(db.dir, err)
		}
		if now != marker {
			return corrupt(db.dir, errors.New("the files are not those of its last Close"))
		}
	}
	if err := db.inspect(cfg, lock); err != nil {
		return openError(db.dir, err)
	}
	return nil
}

// inspect opens an existing store for reading only, on a disk that refuses every change, and closes it. It replays the log,
// so whatever Open would trip over shows before a byte is written.
func (db *DB) inspect(cfg Config, lock *cockroach.Lock) error {
	readOnly := newFuse(cfg.fs, db.dir, nil)
	readOnly.mode.Store(inspecting)
	readOnly.blow(errors.New("only inspected"))
	o := db.options(cfg, readOnly, lock)
	o.ReadOnly, o.ErrorIfNotExists = true, true
	p, err := openPebble(db.dir, o)
	if err != nil {
		return err
	}
	return p.Close()
}

func openPebble(dir string, o *cockroach.Options) (*cockroach.DB, error) {
	return guarded(func() (*cockroach.DB, error) { return cockroach.Open(dir, o) })
}

// guarded turns a panic of pebble's on damaged input into an error.
func guarded[T any](f func() (T, error)) (out T, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: panic: %v", ErrCorrupt, r)
		}
	}()
	return f()
}

// options are pebble's, on the given disk. What stalls writes in pebble is off: the writer waits before a commit instead, where
// it can be told of a failure.
func (db *DB) options(cfg Config, disk *fuse, lock *cockroach.Lock) *cockroach.Options {
	changed := func() { db.bump() }
	o := &cockroach.Options{
		FS: disk, Lock: lock, Logger: logger{disk}, FormatMajorVersion: cockroach.FormatNewest,
		CacheSize: int64(cfg.CacheBytes), MemTableSize: uint64(cfg.MemTableBytes), MaxOpenFiles: 256,
		MemTableStopWritesThreshold: 1 << 20, L0StopWritesThreshold: 1 << 20,
		EventListener: &cockroach.EventListener{
			BackgroundError: disk.blow,
			DataCorruption:  func(i cockroach.DataCorruptionInfo) { disk.blow(corrupt(db.dir, i.Details)) },
			FlushEnd:        func(cockroach.FlushInfo) { changed() },
			CompactionEnd:   func(cockroach.CompactionInfo) { changed() },
			WALCreated:      func(cockroach.WALCreateInfo) { changed() },
		},
	}
	o.Experimental.CompactionScheduler = newScheduler(disk)
	return o
}

// newDB is a store without pebble in it yet.
func newDB(ctx context.Context, dir string, cfg Config) *DB {
	db := &DB{
		dir: dir, queueMax: cfg.QueueMax, queueBytesMax: cfg.QueueBytesMax, memBytesMax: memTablesMax * uint64(cfg.MemTableBytes),
		queue:   queue.FIFO(cfg.QueueMax, queue.Wait[item]()).Label("store queue " + dir),
		room:    gate.NewSemaphore(cfg.QueueBytesMax).Label("store room " + dir),
		duty:    gate.NewRWLock().Label("store duty " + dir),
		ended:   stm.NewVar(false),
		failure: stm.NewVar[error](nil).Label("store failure " + dir),
		epoch:   stm.NewVar(uint64(0)).Label("store epoch " + dir),
		idle:    make(chan struct{}),
	}
	// Called on goroutines of pebble's: set a Var and return.
	db.bump = func() {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { db.epoch.Update(tx, func(n uint64) uint64 { return n + 1 }); return nil })
	}
	db.fuse = newFuse(cfg.fs, dir, func(err error) {
		_ = stm.Do(ctx, func(tx *stm.Tx) error { db.failure.Set(tx, err); return nil })
	})
	return db
}
