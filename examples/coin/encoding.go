package coin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"iter"

	"github.com/synodkit/synod/chain"
)

// ErrState says that bytes are no encoding of the state that they should be.
var ErrState = errors.New("coin: not the encoded state")

const (
	stateVersion = 1
	recordBytes  = addressBytes + 8 + 8
	recordsOnce  = 1024 // yielded together
)

// EncodeState yields the encoding of the state after a block, for a snapshot, in pieces: a byte for the version, then for every account, in the order of
// [State.Accounts], address, balance and next nonce, integers in eight bytes, big endian. One state has one encoding.
func EncodeState(s State) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		room := append(make([]byte, 0, 1+recordsOnce*recordBytes), stateVersion)
		for a, x := range s.Accounts() {
			room = append(room, a[:]...)
			room = binary.BigEndian.AppendUint64(room, x.Balance)
			room = binary.BigEndian.AppendUint64(room, x.Next)
			if len(room) > (recordsOnce-1)*recordBytes {
				if !yield(room) {
					return
				}
				room = room[:0]
			}
		}
		yield(room)
	}
}

// DecodeState reads what [EncodeState] yields, and nothing else: the state after a block. It compares the root with the one that the block commits to and the
// supply with the genesis's, so a wrong state is not taken, wherever it came from. The error unwraps to ErrState.
func (l Ledger) DecodeState(r io.Reader, after chain.Block) (State, error) {
	root, _, err := decodeBody(after.Body)
	if err != nil {
		return State{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	s, err := decodeAccounts(r)
	switch {
	case err != nil:
		return State{}, err
	case s.supply != l.supply:
		return State{}, fmt.Errorf("%w: a supply of %d instead of %d", ErrState, s.supply, l.supply)
	case s.Root() != root:
		return State{}, fmt.Errorf("%w: %w", ErrState, &RootError{Want: root, Got: s.Root()})
	}
	return s, nil
}

// decodeAccounts reads accounts in their order. The trie grows by what was read, so no claim of the bytes makes it larger.
func decodeAccounts(r io.Reader) (s State, err error) {
	var room [recordBytes]byte
	if _, err := io.ReadFull(r, room[:1]); err != nil || room[0] != stateVersion {
		return s, errors.Join(fmt.Errorf("%w: version %d instead of %d", ErrState, room[0], stateVersion), err)
	}
	var before chain.Hash
	for n := 0; ; n++ {
		if _, err := io.ReadFull(r, room[:]); errors.Is(err, io.EOF) {
			return s, nil
		} else if err != nil {
			return s, fmt.Errorf("%w: account %d: %w", ErrState, n, err)
		}
		a := Address(room[:addressBytes])
		x := Account{binary.BigEndian.Uint64(room[addressBytes:]), binary.BigEndian.Uint64(room[addressBytes+8:])}
		path := chain.HashOf(a[:])
		if n > 0 && bytes.Compare(before[:], path[:]) >= 0 {
			return s, fmt.Errorf("%w: account %d is out of order", ErrState, n)
		}
		before = path
		if s.supply+x.Balance < s.supply {
			return s, fmt.Errorf("%w: balances exceed 64 bits at account %d", ErrState, n)
		}
		s.supply += x.Balance
		s = s.set(a, x)
	}
}
