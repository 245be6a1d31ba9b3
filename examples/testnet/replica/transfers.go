package replica

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/stm"
)

// Submit takes a transfer: without an error it is durable here. A pending one is taken again, so that who has not heard the answer may ask again; one that
// is in a block is not. An *api.InvalidError is the transfer's fault.
func (r *Replica) Submit(ctx context.Context, raw []byte) (chain.Hash, error) {
	n := r.node.Load(ctx)
	if n == nil {
		return chain.Hash{}, errNotUp
	}
	id := chain.HashOf(raw)
	if t, err := stm.Query(ctx, func(tx *stm.Tx) api.Tx { return r.Tx(tx, id) }); err == nil && t.Stage == api.Included {
		return id, &api.InvalidError{Reason: fmt.Errorf("%v is in block %d already", id, t.Block.Height)}
	}
	id, err := n.Pool().Submit(ctx, raw)
	if errors.Is(err, mempool.ErrMalformed) || errors.Is(err, mempool.ErrRefused) {
		return id, &api.InvalidError{Reason: reason(err)}
	}
	return id, err
}

// reason is what the ledger said.
func reason(err error) error {
	var malformed *mempool.MalformedError
	var refused *mempool.RefusedError
	switch {
	case errors.As(err, &malformed):
		return malformed.Err
	case errors.As(err, &refused):
		return refused.Err
	}
	return err
}

// Tx is what the node knows of a transfer. It forgets those in old blocks.
func (r *Replica) Tx(tx *stm.Tx, id chain.Hash) api.Tx {
	t := api.Tx{Hash: id, Stage: api.Unknown}
	n := r.node.Get(tx)
	if n == nil {
		return t
	}
	switch s := n.Pool().Status(tx, id); s.Stage {
	case mempool.Pending:
		t.Stage = api.Pending
	case mempool.Included:
		t.Stage, t.Block = api.Included, &api.Place{Height: uint64(s.At.BlockNo), Slot: uint64(s.At.Point.Slot), Hash: s.At.Point.Hash}
	case mempool.Refused:
		t.Stage, t.Reason = api.Refused, fmt.Sprint(reason(s.Err))
	}
	return t
}

// Account is what an address has on the selected chain, and its next nonce after what is pending here.
func (r *Replica) Account(tx *stm.Tx, a coin.Address) api.Account {
	n := r.node.Get(tx)
	if n == nil {
		return api.Account{Address: a}
	}
	selected, pending := n.Selection(tx).State.Account(a), n.Pool().Snapshot(tx).State.Account(a)
	// The pool may be a moment behind the selection.
	return api.Account{Address: a, Balance: selected.Balance, Next: max(selected.Next, pending.Next)}
}
