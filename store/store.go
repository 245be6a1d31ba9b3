package store

import (
	"context"
	"errors"
	"iter"
)

// Errors of a Store; wrapped with more.
var (
	ErrNotFound = errors.New("store: not found")
	ErrClosed   = errors.New("store: closed")
	ErrFailed   = errors.New("store: failed")             // for good: every later call reports the first cause
	ErrLimit    = errors.New("store: batch over a limit") // BatchBytesMax, KeyBytesMax or an empty key
)

// Store is an ordered map from byte keys to byte values that is changed by atomic batches. The package comment holds the
// contract. Safe for concurrent use.
type Store interface {
	// Get is the value of a key, in memory of its own; ErrNotFound if there is none.
	Get(key []byte) ([]byte, error)

	// Scan iterates over the entries with from <= key < to in key order; empty or nil is open on that side. Each iteration sees one
	// snapshot, taken when it starts. A pair with an error is the last one. Entries are in memory of their own.
	Scan(from, to []byte) iter.Seq2[Entry, error]

	// Apply queues a batch and returns a ticket for the durability asked for. Batches take effect in the order in which their
	// Apply calls are accepted. It waits while the queue is full; an error means that the batch is not queued and never
	// takes effect. The batch is frozen.
	Apply(ctx context.Context, b *Batch, d Durability) (*Ticket, error)

	// Close finishes what is queued and releases everything; later calls return ErrClosed. Closing again does nothing. It
	// waits for running Scans, which end with ErrClosed at their next step: do not call it from inside one.
	Close() error
}

// Entry is one key and its value.
type Entry struct{ Key, Value []byte }

// Durability is how far a batch has come when its ticket is done. A higher level includes the lower ones.
type Durability uint8

// The levels.
const (
	Queued  Durability = iota // accepted: it will take effect unless the store fails or the process ends
	Written                   // visible to Get and Scan; survives the process's death, not the machine's
	Durable                   // survives power loss, as far as the disk keeps its word
)

// String is the level's name.
func (d Durability) String() string {
	switch d {
	case Queued:
		return "queued"
	case Written:
		return "written"
	case Durable:
		return "durable"
	}
	return "unknown durability"
}
