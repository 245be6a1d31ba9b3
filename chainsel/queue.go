package chainsel

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
)

// newQueue holds what waits for the selection task, one promise a block. What that task has in its hands is checked out until it is in the
// volatile part, so that Has never loses sight of a block.
func newQueue(max int) *cell.Mailbox[chain.Hash, *Added] {
	return cell.NewMailbox(max, (*Added).hash, func(first, _ *Added) *Added { return first }).Label("chainsel.queue") // AddBlock looks first: nothing is ever merged
}

// Added is the promise of [Chain.AddBlock], in two stages: the block is stored, and chain selection has decided.
type Added struct {
	block  chain.Block
	stored *cell.Promise[struct{}] // abandoned if the block is refused
	result *cell.Promise[Result]
}

func newAdded(b chain.Block) *Added {
	return &Added{b, cell.NewPromise[struct{}](), cell.NewPromise[Result]()}
}

// decided is the promise of a block that is known already.
func decided(b chain.Block, r Result) *Added {
	a := &Added{b, cell.NewPromise[struct{}](), cell.NewKept(r)}
	if r.Verdict != TooOld {
		a.stored = cell.NewKept(struct{}{})
	}
	return a
}

func (a *Added) hash() chain.Hash { return a.block.Header.Hash() }

// Stored reports whether the block has been kept: it passed the checks that need no ledger state and need not be fetched again. It is in memory
// then; only blocks of the selection are on disk. It stays false for a block that is refused: wait for Stored or a Result.
func (a *Added) Stored(tx *stm.Tx) bool {
	_, err, done := a.stored.Outcome(tx)
	return done && err == nil
}

// Result is what chain selection decided; false until it has.
func (a *Added) Result(tx *stm.Tx) (Result, bool) {
	r, _, done := a.result.Outcome(tx)
	return r, done
}

// Wait waits for the result. Its error is that of ctx, which leaves the block where it is, or wraps ErrClosed if the chain ended undecided.
func (a *Added) Wait(ctx context.Context) (Result, error) {
	r, err := stm.Atomically(ctx, a.result.Await)
	if err == nil && r.Verdict == Dropped {
		err = r.Err
	}
	return r, err
}

// store keeps the first stage of the promise.
func (a *Added) store(tx *stm.Tx) { _, _ = a.stored.Put(tx, struct{}{}) }

// decide keeps the promise; only the first time counts.
func (a *Added) decide(tx *stm.Tx, r Result) {
	_, _ = a.result.Put(tx, r)
	a.stored.Close(tx)
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
		a := newAdded(b)
		_, err := c.queue.Put(tx, a)
		return a, err
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
	if err := c.ended.Get(tx); err != nil {
		return nil, err
	}
	if a, ok := c.queue.Find(tx, hash); ok {
		return a, nil
	}
	if err, ok := c.invalid.Get(tx).Get(hash); ok {
		return nil, err
	}
	sel := c.sel.Get(tx)
	if _, ok := sel.find(hash); ok {
		return decided(b, Result{Verdict: Extended, Tip: sel.Tip()}), nil
	}
	if sel.Fragment.Anchor().BlockNo >= b.Header.BlockNo() {
		return decided(b, Result{Verdict: TooOld, Tip: sel.Tip()}), nil
	}
	at, ok := c.volatile.Get(tx).Get(hash)
	switch {
	case !ok:
		return nil, nil
	case at.linked:
		return decided(b, Result{Verdict: NotBetter, Tip: sel.Tip()}), nil
	}
	return decided(b, Result{Verdict: Waiting, Tip: sel.Tip()}), nil
}
