package chainsel

import (
	"context"
	"fmt"
	"slices"

	"github.com/synodkit/synod/chain"
)

// move is a valid chain better than the selection: what to add after the index at of its fragment.
type move[S any] struct {
	at   int
	path []*held[S] // oldest first
}

// choose looks for the best valid chain through the fresh blocks, the most promising first. A chain with an invalid block is cut before it,
// and what remains is looked at again in its place. Nil if none is better than the selection. Only chains through fresh blocks are looked
// at: the others were, when their last block came.
func (t *selector[S]) choose(ctx context.Context, fresh []*held[S]) (*move[S], error) {
	order := func(a, b *held[S]) int { return t.c.cfg.Order.Compare(a.tip(), b.tip()) }
	tips := t.freshTips(fresh)
	slices.SortFunc(tips, order)
	t.tried = slices.Clone(tips)
	for len(tips) > 0 {
		tip := tips[len(tips)-1]
		tips = tips[:len(tips)-1]
		if t.vol.by[tip.hash()] != tip { // gone with an invalid block below it
			continue
		}
		if t.c.cfg.Order.Compare(tip.tip(), t.sel.Tip()) <= 0 {
			return nil, nil
		}
		fault, err := t.validate(ctx, tip)
		switch {
		case err != nil:
			return nil, err
		case fault == nil:
			return t.moveTo(tip)
		}
		if last := t.vol.by[fault.block.Header.Prev()]; last != nil {
			i, _ := slices.BinarySearchFunc(tips, last, order)
			tips = slices.Insert(tips, i, last)
		}
	}
	return nil, nil
}

// freshTips are the ends of all chains through fresh blocks that are still there.
func (t *selector[S]) freshTips(fresh []*held[S]) []*held[S] {
	new := make(map[chain.Hash]bool, len(fresh))
	for _, h := range fresh {
		new[h.hash()] = true
	}
	var tips []*held[S]
	for _, h := range fresh {
		if t.vol.by[h.hash()] == h && !new[h.block.Header.Prev()] {
			tips = append(tips, t.vol.tips(h)...)
		}
	}
	return tips
}

// validate has the ledger apply the blocks up to tip that it has not applied yet. The first one it refuses is taken out, with all after it,
// and returned. err is that of ctx.
func (t *selector[S]) validate(ctx context.Context, tip *held[S]) (fault *held[S], err error) {
	todo, state, err := t.unvalidated(ctx, tip)
	if err != nil {
		return nil, err
	}
	for _, h := range slices.Backward(todo) {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		next, err := t.c.cfg.Ledger.Apply(state, h.block)
		if err != nil {
			t.reject(h, err)
			return h, nil
		}
		h.valid, h.state = true, next
		state = next
	}
	return nil, nil
}

// unvalidated are the blocks from tip back that the ledger has not applied, and the state before the oldest.
func (t *selector[S]) unvalidated(ctx context.Context, tip *held[S]) (todo []*held[S], state S, err error) {
	for h := tip; ; {
		if h.valid {
			return todo, h.state, nil
		}
		todo = append(todo, h)
		prev := h.block.Header.Prev()
		if i, ok := t.sel.find(prev); ok {
			if i+1 < t.sel.unknown {
				err = t.recall(ctx)
			}
			return todo, t.sel.states[i+1], err
		}
		h = t.vol.by[prev]
	}
}

// moveTo is the move to the chain that ends in tip.
func (t *selector[S]) moveTo(tip *held[S]) (*move[S], error) {
	var path []*held[S]
	for h := tip; h != nil; h = t.vol.by[path[len(path)-1].block.Header.Prev()] {
		path = append(path, h)
	}
	slices.Reverse(path)
	at, ok := t.sel.find(path[0].block.Header.Prev())
	if !ok {
		return nil, fmt.Errorf("chainsel: chain to %v does not reach the selection", tip.tip())
	}
	return &move[S]{at, path}, nil
}
