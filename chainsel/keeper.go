package chainsel

import (
	"context"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/sync/cell"
)

// snapshot is a state to be written: that after the anchor, which no rollback passes, or at the end of a life that after the tip.
type snapshot[S any] struct {
	at     chain.Tip
	state  S
	anchor chain.BlockNo
}

// due is the snapshot to be written when the newest one is of number last; nil if none is due, or snapshots are off.
func (c *Chain[S]) due(sel *Selection[S], last chain.BlockNo) *snapshot[S] {
	at := sel.Fragment.Anchor()
	if c.cfg.Encode == nil || sel.unknown > 0 || at.BlockNo < last+chain.BlockNo(c.cfg.SnapshotEvery) {
		return nil
	}
	return &snapshot[S]{at, sel.states[0], at.BlockNo}
}

// startKeeper runs the task that writes snapshots as a daemon of s, beside the selection task, which never waits for it: if it falls behind, it goes
// on with the newest state. bad are snapshots that are of no use.
func (c *Chain[S]) startKeeper(ctx context.Context, s *registry.Scope) error {
	if c.cfg.Encode == nil {
		return nil
	}
	return s.Daemon(ctx, "chainsel snapshots", func(ctx context.Context, ready func()) error {
		ready()
		return c.keepAll(ctx)
	})
}

// keepAll ends with ctx, or with the first failure of the store.
func (c *Chain[S]) keepAll(ctx context.Context) error {
	if err := c.tidy(ctx); err != nil {
		return err
	}
	for {
		if err := c.next.Work(ctx, c.keep); err != nil {
			return err
		}
	}
}

// prepareSnapshots makes the place where the newest snapshot waits to be written, with what is due already.
func (c *Chain[S]) prepareSnapshots(ctx context.Context, sel *Selection[S]) error {
	newest := func(_, newer *snapshot[S]) *snapshot[S] { return newer }
	c.next = cell.NewMailbox(1, func(*snapshot[S]) struct{} { return struct{}{} }, newest).Label("chainsel.next")
	c.snapped = min(c.resumed.BlockNo, sel.Fragment.Anchor().BlockNo)
	due := c.due(sel, c.snapped)
	if due == nil {
		return nil
	}
	c.snapped = due.at.BlockNo
	return stm.Do(ctx, func(tx *stm.Tx) error { _, err := c.next.Put(tx, due); return err })
}

// tidy deletes what Open could not use, and what a crash left.
func (c *Chain[S]) tidy(ctx context.Context) error {
	b := new(store.Batch)
	for _, n := range c.useless {
		b.Delete(c.disk.key('m', n))
	}
	if b.Len() > 0 {
		if _, err := c.cfg.Store.Apply(ctx, b, store.Queued); err != nil {
			return fmt.Errorf("chainsel: deleting a snapshot: %w", err)
		}
	}
	return c.sweep(ctx)
}

// resumeNear resumes from the newest snapshot that is of use. Nil, and no error, if there is none: then the chain is resumed from its start.
func (c *Chain[S]) resumeNear(ctx context.Context, ends record) (*Selection[S], error) {
	if c.cfg.Decode == nil {
		return nil, nil
	}
	ms, bad, err := c.disk.manifests()
	if err != nil {
		return nil, err
	}
	for i, m := range ms {
		var sel *Selection[S]
		err := bad[i]
		if err == nil {
			sel, err = c.resumeAt(ctx, m, ends)
		}
		if ctx.Err() != nil {
			return nil, err
		}
		if err == nil {
			c.resumed = m.at
			c.cfg.Tracer.Emit(ctx, Event{Snapshot: snapshotUsed, Block: m.at, Tip: sel.Tip()})
			return sel, nil
		}
		c.useless = append(c.useless, m.at.BlockNo)
		c.cfg.Tracer.Emit(ctx, Event{Snapshot: snapshotUnusable, Block: m.at, Err: err})
	}
	return nil, nil
}

// resumeAt reads a snapshot and replays what comes after it. If it is of a block that can still be rolled back, the headers before it are read too.
func (c *Chain[S]) resumeAt(ctx context.Context, m manifest, ends record) (*Selection[S], error) {
	state, err := c.restore(m)
	if err != nil {
		return nil, err
	}
	if m.at.BlockNo <= ends.anchor {
		return c.replayAll(ctx, newSelection(m.at, state), ends)
	}
	anchor, headers, err := c.disk.span(ends.anchor, m.at.BlockNo)
	if err != nil {
		return nil, err
	}
	sel, err := newSelectionAt(anchor, headers, state)
	if err != nil {
		return nil, err
	}
	return c.replayAll(ctx, sel, ends)
}

// errLonely is what Open finds when all but snapshots is gone.
var errLonely = errors.New("a snapshot without a chain")
