package load

import (
	"context"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/stm"
)

// followMax is how many blocks are read at a time.
const followMax = 64

// Follow reads the chain from a block on and finds the transfers on it, until ctx ends. Start it before Run.
func (l *Load) Follow(ctx context.Context, from uint64) error {
	at, seen := block{number: from}, chain.Hash{}
	for {
		tip, err := stm.Query(ctx, func(tx *stm.Tx) chain.Hash {
			tip := l.cfg.Tip(tx)
			tx.Check(tip != seen)
			return tip
		})
		if err != nil {
			return err
		}
		if at, err = l.read(ctx, at); err != nil {
			return err
		}
		seen = tip // what came meanwhile has another
	}
}

// read takes in the chain as it is now.
func (l *Load) read(ctx context.Context, at block) (block, error) {
	for {
		blocks, err := l.cfg.Chain(ctx, max(1, at.number), followMax) // that block too: it may have been replaced by another of its number
		if err != nil {
			return at, err
		}
		next := l.advance(ctx, at, blocks)
		if next.number == at.number && next.hash == at.hash {
			return at, nil
		}
		at = next
	}
}

// advance takes blocks, the first of which has the number of the one that was seen last, or takes that one off when it is not there any more.
func (l *Load) advance(ctx context.Context, at block, blocks []api.Block) block {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.publish(ctx)
	if at.number > 0 {
		if len(blocks) == 0 || at.hash != (chain.Hash{}) && blocks[0].Hash != at.hash {
			return l.back(at)
		}
		at.hash, blocks = blocks[0].Hash, blocks[1:]
	}
	for _, b := range blocks {
		if at.number > 0 && b.Prev != at.hash { // it has changed while it was read
			return l.back(at)
		}
		at = block{number: b.Height, slot: b.Slot, hash: b.Hash, ids: idsOf(b)}
		l.book.include(at, func(from int) { l.planner.included(from, 1) })
	}
	return at
}

// back takes the newest block off. Before the first one read, any block will do as the one before it: nothing sent is in those.
func (l *Load) back(at block) block {
	if _, ok := l.book.tip(); ok {
		l.book.undo(func(from int) { l.planner.included(from, -1) })
	}
	if tip, ok := l.book.tip(); ok {
		return tip
	}
	return block{number: max(1, at.number) - 1}
}

func idsOf(b api.Block) []chain.Hash {
	ids := make([]chain.Hash, len(b.Transfers))
	for i, t := range b.Transfers {
		ids[i] = t.Hash
	}
	return ids
}
