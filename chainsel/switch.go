package chainsel

import (
	"context"
	"fmt"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// durably makes a move: first on disk, then, in one transaction, for everybody.
func (t *selector[S]) durably(ctx context.Context, m *move[S]) error {
	sel, passed, err := t.next(m)
	if err != nil {
		return err
	}
	if err := t.keepRolledBack(ctx, m); err != nil {
		return err
	}
	if err := t.persist(ctx, m, sel); err != nil {
		return err
	}
	t.advance(m, sel, passed)
	err = stm.Do(ctx, func(tx *stm.Tx) error {
		t.publish(tx)
		return nil
	})
	t.due = nil
	return err
}

// next is the selection after a move.
func (t *selector[S]) next(m *move[S]) (sel *Selection[S], passed []chain.Hash, err error) {
	headers, states := make([]*chain.Header, len(m.path)), make([]S, len(m.path))
	for i, h := range m.path {
		headers[i], states[i] = h.block.Header, h.state
	}
	return t.sel.grown(m.at, headers, states, t.c.cfg.K)
}

// keepRolledBack copies the blocks that a move takes off the selection from the disk to the volatile part, the oldest first and as many as it
// has room for: their chain may become the best again. Until the end of the move it may hold them beyond its limits. They are shown before
// they leave the disk, so that who reads a range of them does not lose them.
func (t *selector[S]) keepRolledBack(ctx context.Context, m *move[S]) error {
	if m.at == t.sel.Fragment.Len()-1 {
		return nil
	}
	bytes, full := 0, false
	for i := m.at + 1; i < t.sel.Fragment.Len(); i++ {
		header := t.sel.Fragment.At(i)
		bytes += len(header.Bytes()) + int(header.Fields().BodySize)
		if full = full || i-m.at > t.c.cfg.VolatileMax || bytes > t.c.cfg.VolatileBytesMax; full {
			t.lose(header.Hash())
			continue
		}
		b, err := t.c.disk.block(header)
		if err != nil {
			return err
		}
		h := t.vol.add(b, true)
		if i+1 >= t.sel.unknown {
			h.valid, h.state = true, t.sel.states[i+1]
		}
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		t.c.volatile.Set(tx, t.vol.shown)
		return nil
	})
}

// lose gives up a block that leaves the selection, and the forks that start at it.
func (t *selector[S]) lose(hash chain.Hash) {
	t.fate[hash] = Result{Verdict: Full}
	t.stat.Evicted++
	for _, k := range slices.Clone(t.vol.kids[hash]) {
		t.vol.removeTree(k, t.evicted)
	}
}

// persist writes a move in one batch and waits until it is durable.
func (t *selector[S]) persist(ctx context.Context, m *move[S], sel *Selection[S]) error {
	blocks := make([]chain.Block, len(m.path))
	for i, h := range m.path {
		blocks[i] = h.block
	}
	batch := t.c.disk.move(t.sel.tipAt(m.at).BlockNo, t.sel.Tip().BlockNo, blocks, sel.Fragment.Anchor().BlockNo)
	ticket, err := t.c.cfg.Store.Apply(ctx, batch, store.Durable)
	if err == nil {
		err = ticket.Wait(ctx)
	}
	if err != nil {
		return fmt.Errorf("chainsel: storing the chain to %v: %w", sel.Tip(), err)
	}
	return nil
}

// advance is the move in the task's own state.
func (t *selector[S]) advance(m *move[S], sel *Selection[S], passed []chain.Hash) {
	depth := t.sel.Fragment.Len() - 1 - m.at
	t.last = Switch{From: t.sel.Tip(), To: sel.Tip(), At: t.sel.tipAt(m.at).Point, Depth: depth, Added: len(m.path)}
	t.sel = sel
	t.stat.Moves++
	t.stat.Selected += uint64(len(m.path))
	e := Event{Verdict: Extended, Block: sel.Tip(), Tip: sel.Tip(), Move: t.last}
	if depth > 0 {
		e.Verdict, e.Why = Switched, why(t.c.cfg.Order, t.last.To, t.last.From)
		t.switches = t.switches.with([]Event{e}, t.c.cfg.LogMax)
		t.stat.Rollbacks++
		t.stat.Deepest = max(t.stat.Deepest, depth)
	}
	t.events = append(t.events, e)
	if next := t.c.due(sel, t.snapped); next != nil {
		t.due, t.snapped = next, next.at.BlockNo
	}
	for _, h := range m.path {
		t.vol.remove(h)
	}
	for _, hash := range passed {
		for _, k := range slices.Clone(t.vol.kids[hash]) {
			t.vol.removeTree(k, t.passed)
		}
	}
	t.vol.evict(t.evicted)
}
