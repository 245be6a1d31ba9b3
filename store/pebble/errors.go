package pebble

import (
	"errors"
	"fmt"
	"io/fs"

	cockroach "github.com/cockroachdb/pebble/v2"
)

// Errors of Open, and of reading. Each comes wrapped with the directory and the cause.
var (
	ErrLocked  = errors.New("pebble: directory in use by another process or store")
	ErrCorrupt = errors.New("pebble: corrupt")
	ErrForeign = errors.New("pebble: directory holds something else")
	ErrVersion = errors.New("pebble: written by another version")
)

// openError tells damage from trouble with the disk: what the operating system reports is trouble, but a missing file is damage.
func openError(dir string, err error) error {
	var trouble *fs.PathError
	if errors.As(err, &trouble) && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("pebble: open %s: %w", dir, err)
	}
	return corrupt(dir, err)
}

func corrupt(dir string, err error) error { return fmt.Errorf("%w: %s: %w", ErrCorrupt, dir, err) }

// readError is what Get and Scan report of an error of pebble's.
func (db *DB) readError(err error) error {
	if errors.Is(err, cockroach.ErrCorruption) {
		err = corrupt(db.dir, err)
		db.fuse.blow(err)
	}
	if cause := db.fuse.cause(); cause != nil {
		return cause
	}
	return fmt.Errorf("pebble: read %s: %w", db.dir, err)
}
