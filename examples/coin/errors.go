package coin

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

// Kinds of errors. What [Ledger.Parse] and [Ledger.Check] refuse unwraps to ErrTransfer, what [Ledger.Apply] refuses to ErrBlock.
var (
	ErrTransfer = errors.New("coin: transfer refused")
	ErrBlock    = errors.New("coin: block refused")
)

// MalformedError says that bytes are no transfer: its sender made, or changed, them so.
type MalformedError struct{ Problem string }

// Error names the problem.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("%v: malformed: %s", ErrTransfer, e.Problem)
}

// Unwrap is ErrTransfer.
func (e *MalformedError) Unwrap() error { return ErrTransfer }

func malformed(format string, args ...any) error {
	return &MalformedError{fmt.Sprintf(format, args...)}
}

// NetworkError says that a transfer was made for another network. Both are the first four bytes of a genesis hash.
type NetworkError struct{ Want, Got uint32 }

// Error names both networks.
func (e *NetworkError) Error() string {
	return fmt.Sprintf("%v: it is for the network whose genesis hash starts with %08x, this one's with %08x", ErrTransfer, e.Got, e.Want)
}

// Unwrap is ErrTransfer.
func (e *NetworkError) Unwrap() error { return ErrTransfer }

// SignatureError says that a transfer is not signed by its sender, for this network.
type SignatureError struct {
	From    sign.PublicKey
	Genesis chain.Hash
}

// Error names the sender and the network.
func (e *SignatureError) Error() string {
	return fmt.Sprintf("%v: it is not signed by the key %v for the network of genesis %v", ErrTransfer, e.From, e.Genesis)
}

// Unwrap is ErrTransfer and sign.ErrSignature.
func (e *SignatureError) Unwrap() []error { return []error{ErrTransfer, sign.ErrSignature} }

// NonceError says that a transfer is not the next of its sender.
type NonceError struct {
	From      Address
	Want, Got uint64
}

// Error tells a transfer made already from one that comes too early.
func (e *NonceError) Error() string {
	if e.Got < e.Want {
		return fmt.Sprintf("%v: %v has made its transfer of nonce %d already, the next is %d", ErrTransfer, e.From, e.Got, e.Want)
	}
	return fmt.Sprintf("%v: nonce %d is too early, the next of %v is %d", ErrTransfer, e.Got, e.From, e.Want)
}

// Unwrap is ErrTransfer.
func (e *NonceError) Unwrap() error { return ErrTransfer }

// FundsError says that an account has less than amount and fee.
type FundsError struct {
	From       Address
	Have, Need uint64
}

// Error names both.
func (e *FundsError) Error() string {
	return fmt.Sprintf("%v: %v has %d, amount and fee need %d", ErrTransfer, e.From, e.Have, e.Need)
}

// Unwrap is ErrTransfer.
func (e *FundsError) Unwrap() error { return ErrTransfer }

// BodyError says why a block is not valid. Transfer is the place of the one to blame, from 0; -1 if it is the body itself.
type BodyError struct {
	Transfer int
	Err      error
}

// Error names the place and the reason.
func (e *BodyError) Error() string {
	if e.Transfer < 0 {
		return fmt.Sprintf("%v: %v", ErrBlock, e.Err)
	}
	return fmt.Sprintf("%v: transfer %d: %v", ErrBlock, e.Transfer, e.Err)
}

// Unwrap is ErrBlock and the reason.
func (e *BodyError) Unwrap() []error { return []error{ErrBlock, e.Err} }

// RootError says that the accounts after a block's transfers are not those its body commits to.
type RootError struct{ Want, Got chain.Hash }

// Error names both roots.
func (e *RootError) Error() string {
	return fmt.Sprintf("its body commits to root %v, its transfers lead to %v", e.Got, e.Want)
}

// Unwrap is ErrBlock.
func (e *RootError) Unwrap() error { return ErrBlock }
