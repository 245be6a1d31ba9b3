package mempool

import (
	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm/persist"
)

// item is a transaction that passed Parse. Immutable.
type item[X any] struct {
	id   chain.Hash
	raw  []byte
	x    X
	lane string // by which it came; none if a local client or a block brought it
}

// order is what is pending, by ticket. Tickets grow along it; who leaves becomes a hole.
type order[X any] = persist.Seq[*item[X]]

// slot is a place in the order.
type slot[X any] struct {
	ticket uint64
	*item[X]
}
