package chainsel

import (
	"context"
	"fmt"
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
	"github.com/synodkit/synod/sync/gate"
	"github.com/synodkit/synod/sync/prop"
)

// Chain selects the best valid chain among the blocks it is given, keeps it in a store, and shows it. Made by [Open]; safe for concurrent use.
type Chain[S any] struct {
	cfg  Config[S]
	disk disk

	// Written by the selection task alone.
	sel      *stm.Var[*Selection[S]]
	volatile *stm.Var[trie[place]]
	invalid  *stm.Var[trie[*InvalidError]]
	stats    *stm.Var[Stats]
	last     *stm.Var[Switch]

	queue     *cell.Mailbox[chain.Hash, *Added] // put by AddBlock, emptied by the selection task
	ended     *stm.Var[error]                   // set by the selection task when it ends; wraps ErrClosed
	followers *gate.Semaphore                   // one for each that is open
	failed    *stm.Var[error]                   // set by followers that found the store unreadable; ends the selection task

	switches *stm.Var[*journal]                    // written by the selection task
	declined *stm.Var[*journal]                    // likewise
	next     *cell.Mailbox[struct{}, *snapshot[S]] // to be written: put by the selection task, the newest in the place of one that waits
	snapped  chain.BlockNo                         // of the newest that was due at Open
	kept     *stm.Var[chain.Tip]                   // of the newest snapshot; set by the task that writes them
	resumed  chain.Tip                             // of the snapshot that Open used; zero if none
	useless  []chain.BlockNo                       // snapshots that it could not use
	end      *Selection[S]                         // the last one, if the selection task has ended because it was told to
}

// Open resumes the chain that the store holds and starts the selection task in s. It checks all of the chain, or with snapshots (Config.Encode) what comes
// after the newest one that is of use. An empty store means the genesis.
//
// Errors: a field of cfg; a *CorruptError naming what the store holds wrong, of which nothing is changed; the store's; that of ctx.
func Open[S any](ctx context.Context, s *registry.Scope, cfg Config[S]) (*Chain[S], error) {
	c, sel, err := newChain(ctx, cfg)
	if err != nil {
		return nil, err
	}
	if err := c.acquireEnd(s); err != nil {
		return nil, err
	}
	if err := newSelector(c, sel).start(ctx, s); err != nil {
		return nil, err
	}
	return c, c.startKeeper(ctx, s)
}

// newChain is a chain whose selection task is not started.
func newChain[S any](ctx context.Context, cfg Config[S]) (*Chain[S], *Selection[S], error) {
	if err := cfg.complete(); err != nil {
		return nil, nil, err
	}
	c := &Chain[S]{cfg: cfg, disk: disk{store: cfg.Store, prefix: cfg.Prefix, genesis: cfg.Genesis.Point.Hash}}
	sel, err := c.resume(ctx)
	if err != nil {
		return nil, nil, err
	}
	c.sel = stm.NewVar(sel).Label("chainsel.selection")
	c.volatile = stm.NewVar(trie[place]{}).Label("chainsel.volatile")
	c.invalid = stm.NewVar(trie[*InvalidError]{}).Label("chainsel.invalid")
	c.stats = stm.NewVar(Stats{}).Label("chainsel.stats")
	c.last = stm.NewVar(Switch{}).Label("chainsel.last")
	c.queue = newQueue(c.cfg.QueueMax)
	c.ended = stm.NewVar[error](nil).Label("chainsel.ended")
	c.followers = gate.NewSemaphore(c.cfg.FollowersMax).Label("chainsel.followers")
	c.failed = stm.NewVar[error](nil).Label("chainsel.failed")
	c.switches = stm.NewVar[*journal](nil).Label("chainsel.switches")
	c.kept = stm.NewVar(c.resumed).Label("chainsel.kept")
	c.declined = stm.NewVar[*journal](nil).Label("chainsel.declined")
	return c, sel, c.prepareSnapshots(ctx, sel)
}

// Tip is the selection's end.
func (c *Chain[S]) Tip(tx *stm.Tx) chain.Tip { return c.sel.Get(tx).Tip() }

// Selection is the selected chain with its ledger states.
func (c *Chain[S]) Selection(tx *stm.Tx) Selection[S] { return *c.sel.Get(tx) }

// Has reports whether a block need not be fetched: it is among the last K of the selection, in the volatile part, or in the queue. Blocks
// that no rollback can reach any more are not looked for.
func (c *Chain[S]) Has(tx *stm.Tx, hash chain.Hash) bool {
	if _, ok := c.sel.Get(tx).find(hash); ok {
		return true
	}
	if _, ok := c.volatile.Get(tx).Get(hash); ok {
		return true
	}
	_, ok := c.queue.Find(tx, hash)
	return ok
}

// Invalid is the *InvalidError of a block found invalid, nil for others. What follows such a block is not known here by itself; and of old
// cases only the newest InvalidMax are remembered.
func (c *Chain[S]) Invalid(tx *stm.Tx, hash chain.Hash) error {
	if err, ok := c.invalid.Get(tx).Get(hash); ok {
		return err
	}
	return nil
}

// Rollbacks counts the moves of the selection, since Open, that took blocks off it.
func (c *Chain[S]) Rollbacks(tx *stm.Tx) uint64 { return c.stats.Get(tx).Rollbacks }

// Stats are the counts since Open.
func (c *Chain[S]) Stats(tx *stm.Tx) Stats { return c.stats.Get(tx) }

// LastSwitch is the newest move of the selection; false if there was none since Open.
func (c *Chain[S]) LastSwitch(tx *stm.Tx) (Switch, bool) {
	m := c.last.Get(tx)
	return m, m.Added > 0
}

// Switches are the newest moves of the selection that took blocks off it, oldest first, at most LogMax: Event.Why says why the new chain was better. Not to be
// written to.
func (c *Chain[S]) Switches(tx *stm.Tx) []Event { return c.switches.Get(tx).all() }

// Declined are the newest chains that the selection did not move to, and blocks refused, oldest first, at most LogMax: Event.Verdict and Event.Why say
// why. No flood of them drives out what Switches tells. Not to be written to.
func (c *Chain[S]) Declined(tx *stm.Tx) []Event { return c.declined.Get(tx).all() }

// Snapshot is the block after which the newest snapshot's state is, of those that Open used or that are durable since; the zero Tip if there is none.
func (c *Chain[S]) Snapshot(tx *stm.Tx) chain.Tip { return c.kept.Get(tx) }

// close ends the queue: what waits in it and what is left of the batch in hand are dropped, and AddBlock fails from now on.
func (c *Chain[S]) close(ctx context.Context, batch []*Added, cause error) {
	closed := ErrClosed
	if cause != nil {
		closed = fmt.Errorf("%w: %w", ErrClosed, cause)
	}
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
		if c.ended.Get(tx) != nil {
			return nil
		}
		c.ended.Set(tx, closed)
		waiting := prop.Rest(tx, c.queue, c.cfg.QueueMax)
		for _, a := range batch {
			if _, out := c.queue.Find(tx, a.hash()); out {
				c.queue.Done(tx, a.hash())
			}
		}
		tip := c.sel.Get(tx).Tip()
		for _, a := range slices.Concat(batch, waiting) {
			a.decide(tx, Result{Verdict: Dropped, Tip: tip, Err: closed})
		}
		return nil
	})
}
