package chainsel

import (
	"bytes"
	"cmp"

	"github.com/synodkit/synod/chain"
)

// Order says which of two chains is better, by their tips. It must be a total order that never changes: antisymmetric, transitive,
// and 0 for equal tips alone; and a chain's extension must be better than the chain. Then all nodes with the same blocks select the
// same chain, and only a strictly better one makes a node switch.
//
// An order that has a method Why(better, worse chain.Tip) string is asked for the reason of each decision.
type Order interface {
	// Compare is positive if a chain ending in a is better than one ending in b, negative if it is worse.
	Compare(a, b chain.Tip) int
}

// Longest prefers the higher block number, then the smaller hash, then the smaller slot.
type Longest struct{}

// Compare implements Order.
func (Longest) Compare(a, b chain.Tip) int {
	if c := cmp.Compare(a.BlockNo, b.BlockNo); c != 0 {
		return c
	}
	if c := bytes.Compare(b.Point.Hash[:], a.Point.Hash[:]); c != 0 {
		return c
	}
	return cmp.Compare(b.Point.Slot, a.Point.Slot)
}

// Why is the rule by which the first chain is better.
func (Longest) Why(better, worse chain.Tip) string {
	switch {
	case better.BlockNo != worse.BlockNo:
		return "more blocks"
	case better.Point.Hash != worse.Point.Hash:
		return "as many blocks, smaller hash"
	}
	return "as many blocks, same hash, smaller slot"
}

// why asks an order for a reason; empty if it has none to give.
func why(o Order, better, worse chain.Tip) string {
	if o, ok := o.(interface {
		Why(better, worse chain.Tip) string
	}); ok {
		return o.Why(better, worse)
	}
	return ""
}
