package replica

import (
	"context"
	"errors"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
)

// Blocks lists blocks of the selected chain, oldest first, from a number on: at most limit, and no more once they hold api.TransfersMax transfers, or once a
// rollback has taken the next one away.
func (r *Replica) Blocks(ctx context.Context, from uint64, limit int) ([]api.Block, error) {
	var headers []*chain.Header
	err := r.headers(ctx, from, func(h *chain.Header) bool {
		headers = append(headers, h)
		return len(headers) < limit
	})
	if err != nil {
		return nil, err
	}
	var out []api.Block
	for total, i := 0, 0; i < len(headers) && total < r.cfg.listed; i++ {
		b, err := r.node.Load(ctx).Chain().Block(ctx, headers[i].Point())
		if errors.Is(err, chainsel.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		shown, err := r.block(b)
		if err != nil {
			return nil, err
		}
		total += len(shown.Transfers)
		out = append(out, shown)
	}
	return out, nil
}

// block shows a block with its transfers.
func (r *Replica) block(b chain.Block) (api.Block, error) {
	h := b.Header
	shown := api.Block{
		Height: uint64(h.BlockNo()), Slot: uint64(h.Slot()), Hash: h.Hash(), Prev: h.Prev(), BodyBytes: len(b.Body), Transfers: []api.Transfer{},
	}
	all, err := r.ledger.Transactions(b)
	if err != nil {
		return shown, err
	}
	for _, raw := range all {
		t, err := coin.ParseTransfer(raw)
		if err != nil {
			return shown, err
		}
		shown.Transfers = append(shown.Transfers, api.Transfer{
			Hash: chain.HashOf(raw), From: coin.AddressOf(t.From), To: t.To, Amount: t.Amount, Fee: t.Fee, Nonce: t.Nonce,
		})
	}
	return shown, nil
}
