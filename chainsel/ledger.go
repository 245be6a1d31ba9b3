package chainsel

import "github.com/synodkit/synod/chain"

// Ledger gives blocks their meaning. S is the state of the ledger after a block: a persistent value that is never written to, since chain
// selection keeps the states after each of the last K blocks and shows them to everybody.
type Ledger[S any] interface {
	// Apply is the state after b, whose predecessor's state is s, or why b is not valid there. It must be a pure function of its arguments:
	// its error is remembered as the block's. It runs on the selection task, outside any transaction, and must not panic on any b.
	Apply(s S, b chain.Block) (S, error)
}
