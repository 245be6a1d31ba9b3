package replica

import (
	"context"
	"errors"
	"os"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/stm"
)

var errNotUp = errors.New("replica: the node is not up yet")

// Status is the node at the transaction's moment. Before Start it knows no more than its names.
func (r *Replica) Status(tx *stm.Tx) api.Status {
	v := api.Status{Name: r.cfg.Name, PID: os.Getpid(), PeerID: string(r.PeerID()), Genesis: r.genesis, URL: r.URL()}
	n := r.node.Get(tx)
	if n == nil {
		return v
	}
	sel, pool := n.Selection(tx), n.Pool().Stats(tx)
	tip := sel.Tip()
	v.Height, v.Slot, v.Tip, v.Root = uint64(tip.BlockNo), uint64(tip.Point.Slot), tip.Point.Hash, sel.State.Root()
	v.Peers, v.Rollbacks, v.Violations, v.Forged = len(n.Peers(tx)), n.Rollbacks(tx), len(n.Violations(tx)), n.Forged(tx)
	v.Mempool = api.Mempool{Count: pool.Count, Bytes: pool.SizeBytes}
	return v
}

// HashAt is the hash of the selected block with a number; false if it is older than what is in memory, or not there.
func (r *Replica) HashAt(tx *stm.Tx, number uint64) (chain.Hash, bool) {
	n := r.node.Get(tx)
	if n == nil {
		return chain.Hash{}, false
	}
	frag := n.Selection(tx).Fragment
	anchor := uint64(frag.Anchor().BlockNo)
	if number <= anchor || number > anchor+uint64(frag.Len()) {
		return chain.Hash{}, false
	}
	return frag.At(int(number-anchor) - 1).Hash(), true
}

// Hashes are those of the whole selected chain, block 1 first.
func (r *Replica) Hashes(ctx context.Context) ([]chain.Hash, error) {
	var out []chain.Hash
	err := r.headers(ctx, 1, func(h *chain.Header) bool {
		out = append(out, h.Hash())
		return true
	})
	return out, err
}

// headers calls f with the headers of the selection of one moment from a number on, oldest first, until f returns false.
func (r *Replica) headers(ctx context.Context, from uint64, f func(*chain.Header) bool) error {
	n := r.node.Load(ctx)
	if n == nil {
		return errNotUp
	}
	sel, err := stm.Query(ctx, n.Selection)
	if err != nil {
		return err
	}
	anchor := sel.Fragment.Anchor()
	for no := chain.BlockNo(from); no <= anchor.BlockNo; no++ { // in the store alone: no rollback reaches them
		h, err := n.Chain().At(ctx, no)
		if err != nil || !f(h) {
			return err
		}
	}
	for h := range sel.Fragment.From(anchor.Point) {
		if uint64(h.BlockNo()) >= from && !f(h) {
			break
		}
	}
	return nil
}
