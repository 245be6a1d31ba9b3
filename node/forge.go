package node

import (
	"context"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/consensus/leaderschedule"
	"github.com/synodkit/synod/stm"
)

// forger is nil without a key.
func (n *Node[S, X]) forger() (*leaderschedule.Forger, error) {
	if n.cfg.Key.IsZero() {
		return nil, nil
	}
	signer, err := leaderschedule.OpenSigner(n.schedule, n.cfg.Key, n.cfg.Store)
	if err != nil {
		return nil, err
	}
	return &leaderschedule.Forger{Signer: signer, Tip: n.Tip, Body: n.body, Submit: n.submit, Tracer: n.cfg.Trace.Forger}, nil
}

// body reads selection and pool at one moment; what it gives then looks for the transactions that are valid and makes the body. After a block of ours
// that our own ledger refused, the next is made without transactions: if one of them was the cause, the chain grows all the same.
func (n *Node[S, X]) body(tx *stm.Tx, slot chain.Slot, _ chain.Tip) func() []byte {
	sel, waiting, failed := n.chain.Selection(tx), n.pool.Snapshot(tx), n.failed.Get(tx)
	return func() []byte {
		var txs []X
		if !failed {
			txs = waiting.Fit(sel.Tip(), sel.State, n.cfg.BodyBytesMax)
		}
		return n.cfg.Ledger.Body(sel.State, slot, txs)
	}
}

// submit hands a forged block to chain selection. That it lost against another block of the moment is no failure; that it is invalid is one, of
// the ledger, whose Body made what Apply refuses.
func (n *Node[S, X]) submit(ctx context.Context, b chain.Block) error {
	added, err := n.chain.AddBlock(ctx, b)
	if err != nil {
		return err
	}
	r, err := added.Wait(ctx)
	if err != nil {
		return err
	}
	if err := stm.Do(ctx, func(tx *stm.Tx) error {
		failed := r.Verdict == chainsel.Invalid
		n.failed.Set(tx, failed)
		if !failed {
			n.forged.Update(tx, func(x uint64) uint64 { return x + 1 })
		}
		return nil
	}); err != nil {
		return err
	}
	return r.Err
}
