package coin

import (
	"fmt"
	"math/bits"

	"github.com/synodkit/synod/chain"
)

// Allocation is what an address has at the start.
type Allocation struct {
	_       struct{} `cbor:",toarray"`
	Address Address
	Amount  uint64
}

// EncodeAllocations is what to put into the field Ledger of a genesis: canonical CBOR, in the order given. The error is that of [DecodeAllocations].
func EncodeAllocations(as []Allocation) ([]byte, error) {
	b := must(chain.Marshal(as))
	if _, err := DecodeAllocations(b); err != nil {
		return nil, err
	}
	return b, nil
}

// DecodeAllocations reads the field Ledger of a genesis; no bytes are no allocations. Addresses must differ, amounts be at least 1 and their sum
// fit 64 bits. The error is a *chain.GenesisError that names the field Ledger.
func DecodeAllocations(b []byte) ([]Allocation, error) {
	if len(b) == 0 {
		return nil, nil
	}
	bad := func(format string, args ...any) ([]Allocation, error) {
		return nil, &chain.GenesisError{Field: "Ledger", Problem: fmt.Sprintf(format, args...)}
	}
	if len(b) > chain.LedgerBytesMax {
		return bad("has %d bytes, at most %d", len(b), chain.LedgerBytesMax)
	}
	var as []Allocation
	if err := chain.Unmarshal(b, &as); err != nil {
		return bad("is no list of allocations: %v", err)
	}
	var sum, carry uint64
	seen := make(map[Address]bool, len(as))
	for i, a := range as {
		switch sum, carry = bits.Add64(sum, a.Amount, 0); {
		case carry != 0:
			return bad("allocates more than 64 bits hold, at %d", i)
		case a.Amount == 0:
			return bad("allocates nothing to %v, at %d", a.Address, i)
		case seen[a.Address]:
			return bad("allocates twice to %v, at %d", a.Address, i)
		}
		seen[a.Address] = true
	}
	return as, nil
}

// initial is the state that a genesis starts from.
func initial(g chain.Genesis) (State, error) {
	var s State
	as, err := DecodeAllocations(g.Ledger)
	for _, a := range as {
		s.supply += a.Amount
		s = s.credit(a.Address, a.Amount)
	}
	return s, err
}
