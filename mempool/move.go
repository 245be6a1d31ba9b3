package mempool

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
)

// target is a moment of the selection.
type target[S any] struct {
	fragment chain.Fragment
	state    S
}

// move is the way from the chain the pool stands on to the selection's: what it means for transactions.
type move[S, X any] struct {
	target[S]
	included map[chain.Hash]chain.Tip // transactions of the blocks added
	ids      []chain.Hash             // of them, in order
	returned []*item[X]               // of the blocks removed and not added again, in order
	back     map[chain.Hash]bool      // their ids
	lost     []past                   // the same, of blocks that could not be read any more
	event    Move

	// blind means that the two chains have nothing in common that is known: what was included before may be so or not.
	blind bool
}

// plan reads the blocks on the way.
func (t *syncer[S, X]) plan(ctx context.Context, to target[S]) (*move[S, X], error) {
	m := &move[S, X]{target: to, included: map[chain.Hash]chain.Tip{}, back: map[chain.Hash]bool{}}
	m.event.From, m.event.To = t.known.Tip(), to.fragment.Tip()
	at, ok := t.known.Intersect(to.fragment)
	if !ok {
		at, m.blind = to.fragment.Anchor().Point, true
	}
	for h := range to.fragment.From(at) {
		m.event.Added++
		txs, err := t.transactions(ctx, h.Point())
		if err != nil {
			return nil, err
		}
		for _, raw := range txs {
			id := chain.HashOf(raw)
			if _, twice := m.included[id]; !twice {
				m.ids = append(m.ids, id)
			}
			m.included[id] = h.Tip()
		}
	}
	if m.blind {
		return m, nil
	}
	for h := range t.known.From(at) {
		m.event.Removed++
		if err := t.goBack(ctx, m, h.Tip()); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// transactions are those of a block.
func (t *syncer[S, X]) transactions(ctx context.Context, at chain.Point) ([][]byte, error) {
	b, err := t.p.cfg.Block(ctx, at)
	if err == nil {
		var txs [][]byte
		if txs, err = t.p.cfg.Ledger.Transactions(b); err == nil {
			return txs, nil
		}
	}
	return nil, fmt.Errorf("mempool: block %v: %w", at, err)
}

// goBack adds what a block that was rolled back held to what returns. If the block is gone, its local transactions still return.
func (t *syncer[S, X]) goBack(ctx context.Context, m *move[S, X], at chain.Tip) error {
	txs, err := t.transactions(ctx, at.Point)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		m.event.Missing++
		for _, l := range t.keptAt(at) {
			m.giveBack(l.item)
		}
		for _, p := range t.history.all() {
			if p.at == at {
				m.lost = append(m.lost, p)
			}
		}
		return nil
	}
	for _, raw := range txs {
		id := chain.HashOf(raw)
		if k := t.kept[id]; k != nil {
			m.giveBack(k.local.item)
		} else if _, again := m.included[id]; !again {
			raw = bytes.Clone(raw)
			if x, err := t.p.cfg.Ledger.Parse(raw); err == nil {
				m.giveBack(&item[X]{id: id, raw: raw, x: x})
			} else {
				m.lost = append(m.lost, past{id, at})
			}
		}
	}
	return nil
}

func (m *move[S, X]) giveBack(it *item[X]) {
	if _, again := m.included[it.id]; !again && !m.back[it.id] {
		m.back[it.id] = true
		m.returned = append(m.returned, it)
	}
}

// movesWithin is how long a block that leaves the selection may be gone before the selection shows that.
const movesWithin = 5 * time.Second

// moved reports whether the selection is not what it was at the start of a move, or is not any more in a moment.
func (t *syncer[S, X]) moved(ctx context.Context, to target[S]) bool {
	until := env.Now(ctx).Add(movesWithin)
	moved, err := stm.Query(ctx, func(tx *stm.Tx) bool {
		now, _ := t.p.cfg.Selection(tx)
		moved := now.Tip() != to.fragment.Tip()
		tx.Check(moved || env.Reached(tx, until))
		return moved
	})
	return err == nil && moved
}

// keptAt are the local transactions of a block, in the order of the journal.
func (t *syncer[S, X]) keptAt(at chain.Tip) []*local[X] {
	return t.keptWhere(func(k *kept[X]) bool { return !k.aside && k.at == at })
}

func (t *syncer[S, X]) keptWhere(want func(*kept[X]) bool) []*local[X] {
	var out []*local[X]
	for _, k := range t.kept {
		if want(k) {
			out = append(out, k.local)
		}
	}
	slices.SortFunc(out, func(a, b *local[X]) int { return cmp.Compare(a.number, b.number) })
	return out
}
