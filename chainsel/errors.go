package chainsel

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
)

// Errors of this package; wrapped with more.
var (
	ErrClosed   = errors.New("chainsel: closed")        // the selection task has ended
	ErrNotFound = errors.New("chainsel: not found")     // no such block, or no longer
	ErrLimit    = errors.New("chainsel: over a limit")  // FollowersMax or RangeMax
	ErrInvalid  = errors.New("chainsel: invalid block") // an *InvalidError
	ErrCorrupt  = errors.New("chainsel: corrupt store") // a *CorruptError
)

// InvalidError says which block is not valid, and why. It unwraps to [ErrInvalid] and to the reason.
type InvalidError struct {
	Block chain.Tip
	Err   error
}

// Error names the block and the reason.
func (e *InvalidError) Error() string { return fmt.Sprintf("%v: %v: %v", ErrInvalid, e.Block, e.Err) }

// Unwrap is ErrInvalid and the reason.
func (e *InvalidError) Unwrap() []error { return []error{ErrInvalid, e.Err} }

// CorruptError says what is wrong with the stored chain, and where. It unwraps to [ErrCorrupt] and to the cause. Nothing was overwritten.
type CorruptError struct {
	Where string // a part of the stored chain, such as "header 17"
	Err   error
}

// Error names the place and the problem.
func (e *CorruptError) Error() string { return fmt.Sprintf("%v: %s: %v", ErrCorrupt, e.Where, e.Err) }

// Unwrap is ErrCorrupt and the cause.
func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }
