package store

import (
	"fmt"
	"iter"
	"slices"
	"sync/atomic"
)

// Limits of a batch.
const (
	BatchBytesMax = 32 << 20 // keys, values and opBytes an operation
	KeyBytesMax   = 1 << 10
)

// opBytes is what an operation counts for beyond its key and value, so that deletions are bounded too.
const opBytes = 16

// Op is one operation of a batch.
type Op struct {
	Key    []byte
	Value  []byte // nil for a deletion
	Delete bool
}

// Batch collects operations to be applied atomically, in order: a later one on the same key wins. The zero Batch is empty
// and ready. It belongs to one goroutine until it is applied; then it is frozen, and a further Put or Delete panics.
//
// An operation over a limit makes the whole batch invalid: it is not kept, Err and Apply say why.
type Batch struct {
	ops    []Op
	size   int
	err    error
	frozen atomic.Bool
}

// Put sets a key; it copies both.
func (b *Batch) Put(key, value []byte) {
	if b.fits(key, len(value)) {
		b.ops = append(b.ops, Op{Key: slices.Clone(key), Value: append([]byte{}, value...)})
	}
}

// Delete removes a key, whether it is there or not.
func (b *Batch) Delete(key []byte) {
	if b.fits(key, 0) {
		b.ops = append(b.ops, Op{Key: slices.Clone(key), Delete: true})
	}
}

func (b *Batch) fits(key []byte, valueBytes int) bool {
	if b.frozen.Load() {
		panic("store: change of a batch that was applied")
	}
	size := opBytes + len(key) + valueBytes
	switch {
	case b.err != nil:
	case len(key) == 0 || len(key) > KeyBytesMax:
		b.err = fmt.Errorf("%w: key of %d bytes instead of 1 to %d", ErrLimit, len(key), KeyBytesMax)
	case size > BatchBytesMax-b.size:
		b.err = fmt.Errorf("%w: over %d bytes", ErrLimit, BatchBytesMax)
	default:
		b.size += size
		return true
	}
	return false
}

// Len is the number of operations.
func (b *Batch) Len() int { return len(b.ops) }

// SizeBytes is what counts against BatchBytesMax.
func (b *Batch) SizeBytes() int { return b.size }

// Err is the first operation over a limit, or nil.
func (b *Batch) Err() error { return b.err }

// Freeze ends the changes and returns Err. Implementations of Store call it in Apply.
func (b *Batch) Freeze() error {
	b.frozen.Store(true)
	return b.err
}

// Ops iterates over the operations in order. They are not to be written to.
func (b *Batch) Ops() iter.Seq[Op] { return slices.Values(b.ops) }
