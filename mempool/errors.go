package mempool

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
)

// Errors of this package; wrapped with more.
var (
	ErrMalformed = errors.New("mempool: malformed transaction") // a *MalformedError
	ErrRefused   = errors.New("mempool: refused transaction")   // a *RefusedError
	ErrFull      = errors.New("mempool: full")                  // a limit in count or bytes, of the pool or the journal; nothing has changed
	ErrKnown     = errors.New("mempool: known transaction")     // offered, but here or on the chain already
	ErrClosed    = errors.New("mempool: closed")                // its tasks have ended
	ErrCorrupt   = errors.New("mempool: corrupt journal")       // a *CorruptError
)

// MalformedError says that bytes are no transaction whatever the state: who sent them is to blame. It unwraps to [ErrMalformed] and to the
// ledger's reason.
type MalformedError struct {
	ID  chain.Hash // of the bytes
	Err error
}

// Error names the transaction and the reason.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("%v %x: %v", ErrMalformed, e.ID[:4], e.Err)
}

// Unwrap is ErrMalformed and the reason.
func (e *MalformedError) Unwrap() []error { return []error{ErrMalformed, e.Err} }

// RefusedError says that a transaction is not valid on the state it was checked on. It may be on another, so it blames nobody. It unwraps to
// [ErrRefused] and to the ledger's reason.
type RefusedError struct {
	ID  chain.Hash
	Err error
}

// Error names the transaction and the reason.
func (e *RefusedError) Error() string { return fmt.Sprintf("%v %x: %v", ErrRefused, e.ID[:4], e.Err) }

// Unwrap is ErrRefused and the reason.
func (e *RefusedError) Unwrap() []error { return []error{ErrRefused, e.Err} }

// CorruptError says which entry of the journal cannot be used. It unwraps to [ErrCorrupt] and to the cause. Nothing was overwritten.
type CorruptError struct {
	Key []byte // in the store
	Err error
}

// Error names the key and the problem.
func (e *CorruptError) Error() string { return fmt.Sprintf("%v: key %q: %v", ErrCorrupt, e.Key, e.Err) }

// Unwrap is ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }
