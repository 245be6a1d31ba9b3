package chainsel

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// queue is what waits for the selection task, oldest first, and whether that task has ended. Immutable; it is short.
type queue struct {
	waiting []*Added
	closed  error // wraps ErrClosed
}

func (q queue) holds(hash chain.Hash) bool {
	for _, a := range q.waiting {
		if a.block.Header.Hash() == hash {
			return true
		}
	}
	return false
}

// without is q without its first n.
func (q queue) without(n int) queue {
	q.waiting = append([]*Added(nil), q.waiting[n:]...)
	return q
}

// Added is the promise of [Chain.AddBlock], in two stages: the block is stored, and chain selection has decided.
type Added struct {
	block chain.Block
	at    *stm.Var[progress]
}

type progress struct {
	stored bool
	result Result
}

func newAdded(b chain.Block, p progress) *Added {
	return &Added{b, stm.NewVar(p).Label("chainsel.added")}
}

// Stored reports whether the block has been kept: it passed the checks that need no ledger state and need not be fetched again. It is in memory
// then; only blocks of the selection are on disk. It stays false for a block that is refused: wait for Stored or a Result.
func (a *Added) Stored(tx *stm.Tx) bool { return a.at.Get(tx).stored }

// Result is what chain selection decided; false until it has.
func (a *Added) Result(tx *stm.Tx) (Result, bool) {
	r := a.at.Get(tx).result
	return r, r.Verdict != undecided
}

// Wait waits for the result. Its error is that of ctx, which leaves the block where it is, or wraps ErrClosed if the chain ended undecided.
func (a *Added) Wait(ctx context.Context) (Result, error) {
	r, err := stm.Query(ctx, func(tx *stm.Tx) Result {
		r, done := a.Result(tx)
		tx.Check(done)
		return r
	})
	if err == nil && r.Verdict == Dropped {
		err = r.Err
	}
	return r, err
}

// AddBlock hands in a block. It checks body and header on the caller's task, refuses a block known to be invalid, and waits while the queue is
// full. A block that is already known is not queued: its promise is fulfilled at once, with where the block stands.
//
// Errors: an *InvalidError, or that of ctx, or ErrClosed; then the block was not taken. Once it is taken, the end of ctx changes nothing.
func (c *Chain[S]) AddBlock(ctx context.Context, b chain.Block) (*Added, error) {
	if b.Header == nil {
		return nil, fmt.Errorf("%w: no header", ErrInvalid)
	}
	known, err := stm.Atomically(ctx, func(tx *stm.Tx) (*Added, error) { return c.known(tx, b) })
	if known != nil || err != nil {
		return known, err
	}
	if err := c.check(b); err != nil {
		return nil, &InvalidError{b.Header.Tip(), err}
	}
	return stm.Atomically(ctx, func(tx *stm.Tx) (*Added, error) {
		if known, err := c.known(tx, b); known != nil || err != nil {
			return known, err
		}
		q := c.queue.Get(tx)
		tx.Check(len(q.waiting) < c.cfg.QueueMax)
		a := newAdded(b, progress{})
		q.waiting = append(q.waiting[:len(q.waiting):len(q.waiting)], a)
		c.queue.Set(tx, q)
		return a, nil
	})
}

// check judges a block by itself. A wrong body is not remembered: the header it came with may be a valid block's.
func (c *Chain[S]) check(b chain.Block) error {
	if _, err := chain.NewBlock(b.Header, b.Body); err != nil {
		return err
	}
	if c.cfg.CheckHeader == nil {
		return nil
	}
	return c.cfg.CheckHeader(b.Header)
}

// known answers for a block that need not be queued; nil, nil if it must be.
func (c *Chain[S]) known(tx *stm.Tx, b chain.Block) (*Added, error) {
	hash := b.Header.Hash()
	q := c.queue.Get(tx)
	if q.closed != nil {
		return nil, q.closed
	}
	for _, a := range q.waiting {
		if a.block.Header.Hash() == hash {
			return a, nil
		}
	}
	if err, ok := c.invalid.Get(tx).Get(hash); ok {
		return nil, err
	}
	sel := c.sel.Get(tx)
	if _, ok := sel.find(hash); ok {
		return newAdded(b, progress{true, Result{Verdict: Extended, Tip: sel.Tip()}}), nil
	}
	if sel.Fragment.Anchor().BlockNo >= b.Header.BlockNo() {
		return newAdded(b, progress{false, Result{Verdict: TooOld, Tip: sel.Tip()}}), nil
	}
	at, ok := c.volatile.Get(tx).Get(hash)
	switch {
	case !ok:
		return nil, nil
	case at.linked:
		return newAdded(b, progress{true, Result{Verdict: NotBetter, Tip: sel.Tip()}}), nil
	}
	return newAdded(b, progress{true, Result{Verdict: Waiting, Tip: sel.Tip()}}), nil
}
