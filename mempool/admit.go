package mempool

import (
	"bytes"
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// Submit takes a transaction of a local client. Without an error it is in the pool or on the chain, and durable in the journal: from then on a crash
// does not lose it. Submitting it again, whoever did so first, does nothing more than wait for that.
//
// Errors: a *MalformedError or *RefusedError; ErrFull; then nothing has changed. ErrClosed and that of ctx leave it open.
func (p *Pool[S, X]) Submit(ctx context.Context, raw []byte) (chain.Hash, error) {
	a := admission[S, X]{p: p, id: chain.HashOf(raw), size: len(raw), own: true}
	l, err := a.run(ctx, raw)
	if err != nil || l == nil {
		return a.id, err
	}
	return a.id, stm.Do(ctx, func(tx *stm.Tx) error {
		if p.journal.accepted(tx, l) {
			return nil
		}
		err := p.failed.Get(tx)
		tx.Check(err != nil)
		return err
	})
}

// Offer is Lane.Offer for whom no lane keeps from filling the pool.
func (p *Pool[S, X]) Offer(ctx context.Context, raw []byte) error { return p.Lane("").Offer(ctx, raw) }

// admission is one transaction on its way into the pool.
type admission[S, X any] struct {
	p    *Pool[S, X]
	id   chain.Hash
	size int
	own  bool     // of a local client
	lane string   // of a remote peer
	item *item[X] // nil until it is parsed
}

// look is what an admission finds.
type look[S, X any] struct {
	settled bool
	local   *local[X]      // its place in the journal, if it has one
	content *content[S, X] // what it is to be appended to
}

// optimistMax is how often an admission validates outside the transaction that appends, and finds that somebody was faster, before it validates
// inside: then it cannot lose any more.
const optimistMax = 8

func (a *admission[S, X]) run(ctx context.Context, raw []byte) (*local[X], error) {
	if most := a.p.cfg.Limits.TxBytesMax; a.size > most {
		return nil, &MalformedError{a.id, fmt.Errorf("%d bytes, at most %d", a.size, most)}
	}
	at, err := stm.Atomically(ctx, a.look)
	if err != nil || at.settled {
		return at.local, err
	}
	raw = bytes.Clone(raw)
	x, err := a.p.cfg.Ledger.Parse(raw)
	if err != nil {
		return nil, &MalformedError{a.id, err}
	}
	a.item = &item[X]{a.id, raw, x, a.lane}
	for range optimistMax {
		if at, err = a.try(ctx); err != nil || at.settled {
			return at.local, err
		}
	}
	at, err = stm.Atomically(ctx, func(tx *stm.Tx) (look[S, X], error) {
		at, err := a.look(tx)
		if err != nil || at.settled {
			return at, err
		}
		state, err := a.check(at.content.state)
		if err != nil {
			return at, err
		}
		return a.append(tx, at.content, state)
	})
	a.trace(ctx, at, err)
	return at.local, err
}

// try validates outside a transaction, and appends if the pool is still the same.
func (a *admission[S, X]) try(ctx context.Context) (look[S, X], error) {
	at, err := stm.Atomically(ctx, a.look)
	if err != nil || at.settled {
		return at, err
	}
	state, err := a.check(at.content.state)
	if err != nil {
		return at, err
	}
	was := at.content
	at, err = stm.Atomically(ctx, func(tx *stm.Tx) (look[S, X], error) {
		at, err := a.look(tx)
		if err != nil || at.settled || at.content != was {
			return at, err
		}
		return a.append(tx, was, state)
	})
	a.trace(ctx, at, err)
	return at, err
}

func (a *admission[S, X]) check(s S) (S, error) {
	state, err := a.p.cfg.Ledger.Check(s, a.item.x)
	if err != nil {
		err = &RefusedError{a.id, err}
	}
	return state, err
}

// look finds out what is left to do. What costs nothing it does.
func (a *admission[S, X]) look(tx *stm.Tx) (look[S, X], error) {
	var out look[S, X]
	if err := a.p.failed.Get(tx); err != nil {
		return out, err
	}
	r, c := a.p.index.find(tx, a.id), a.p.content.Get(tx)
	if r != nil && (r.stage != Refused || r.local != nil) {
		return a.known(tx, r, c)
	}
	tx.Check(!c.hold)
	if !a.p.room(c, a.lane, a.size) {
		return out, full(c, a.lane)
	}
	if a.own {
		if err := a.p.journal.room(tx, a.size); err != nil {
			return out, err
		}
	}
	out.content = c
	return out, nil
}

// known settles what the pool has or had before.
func (a *admission[S, X]) known(tx *stm.Tx, r *record[X], c *content[S, X]) (look[S, X], error) {
	out := look[S, X]{settled: true, local: r.local}
	switch {
	case r.stage == Refused: // a local one, kept until the ledger takes it
		return out, r.err
	case !a.own:
		return out, fmt.Errorf("%w: %x", ErrKnown, a.id[:4])
	case r.local != nil:
		return out, nil
	case r.stage == Included && deep(c.tip, r.at, a.p.cfg.K):
		return out, nil
	}
	up, it := *r, r.item
	if it == nil {
		it = a.item
	}
	if it == nil {
		return look[S, X]{content: c}, nil
	}
	var err error
	if up.local, err = a.p.journal.enter(tx, it); err != nil {
		return out, err
	}
	if r.stage == Included {
		_, _ = a.p.late.Put(tx, up.local) // never full, never closed
	}
	a.p.index.put(tx, &up)
	out.local = up.local
	return out, nil
}

// deep reports whether a block is so deep below a tip that it cannot be rolled back any more.
func deep(tip, at chain.Tip, k int) bool {
	return tip.BlockNo >= at.BlockNo && tip.BlockNo-at.BlockNo >= chain.BlockNo(k)
}

// append adds the transaction behind content c, which gives state.
func (a *admission[S, X]) append(tx *stm.Tx, c *content[S, X], state S) (look[S, X], error) {
	out := look[S, X]{settled: true, content: c}
	if a.own {
		var err error
		if out.local, err = a.p.journal.enter(tx, a.item); err != nil {
			return out, err
		}
	}
	next := *c
	next.state, next.order = state, c.order.Set(c.next, a.item)
	next.bytes, next.next, next.added = c.bytes+a.size, c.next+1, c.added+1
	next.lanes = c.lanes.with(a.item.lane, a.size)
	a.p.content.Set(tx, &next)
	a.p.index.put(tx, &record[X]{id: a.id, stage: Pending, item: a.item, local: out.local})
	return out, nil
}

func (a *admission[S, X]) trace(ctx context.Context, at look[S, X], err error) {
	if err == nil && at.settled && at.content != nil {
		a.p.cfg.Tracer.Emit(ctx, Event{Stage: Pending, ID: a.id, Local: a.own, Bytes: a.size, Tip: at.content.tip})
	}
}
