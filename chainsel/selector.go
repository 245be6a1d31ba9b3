package chainsel

import (
	"context"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// selector is the private state of the selection task, the one writer of the selection and of the stored chain.
//
// It works in rounds. A round takes what the queue holds, puts it into the volatile part (one transaction shows it), looks for the best valid
// chain through what is new, outside any transaction, and, if that is better than the selection, writes it to the store in one batch. When
// that is durable one more transaction moves everything that others see.
type selector[S any] struct {
	c    *Chain[S]
	sel  *Selection[S]
	vol  *volatile[S]
	bad  rejects
	stat Stats
	last Switch

	batch  []*Added              // of this round
	fate   map[chain.Hash]Result // of blocks that left or never entered the volatile part in this round
	events []Event               // of this round
	tried  []*held[S]            // the ends of the chains looked at in this round
	turned []Event               // what was declined in this round

	switches, declined *journal
	due                *snapshot[S]  // to be shown to the task that writes it
	snapped            chain.BlockNo // number of the newest that was due

	// commit makes a move durable and then visible. A field, so that tests can plant the order that would be wrong.
	commit func(ctx context.Context, m *move[S]) error
}

func newSelector[S any](c *Chain[S], sel *Selection[S]) *selector[S] {
	t := &selector[S]{
		c: c, sel: sel, vol: newVolatile[S](c.cfg.VolatileMax, c.cfg.VolatileBytesMax), bad: rejects{max: c.cfg.InvalidMax},
		snapped: c.snapped,
	}
	t.commit = t.durably
	return t
}

// start runs the selection task as a daemon of s.
func (t *selector[S]) start(ctx context.Context, s *registry.Scope) error {
	return s.Daemon(ctx, "chainsel", func(ctx context.Context, ready func()) error {
		ready()
		return t.run(ctx)
	})
}

// run is the selection task. It ends with ctx, or with the first failure of the store.
func (t *selector[S]) run(ctx context.Context) (err error) {
	defer func() {
		if ctx.Err() != nil {
			t.c.end = t.sel
		}
		t.c.close(ctx, t.batch, err)
	}()
	for {
		batch, err := stm.Atomically(ctx, t.take)
		if err != nil {
			return err
		}
		if err := t.round(ctx, batch); err != nil {
			return err
		}
	}
}

// take waits for blocks. They stay in the queue until they are in the volatile part, so that Has never loses sight of them.
func (t *selector[S]) take(tx *stm.Tx) ([]*Added, error) {
	if err := t.c.failed.Get(tx); err != nil {
		return nil, err
	}
	first, err := t.c.queue.Checkout(tx)
	if err != nil {
		return nil, err
	}
	return append([]*Added{first}, prop.Rest(tx, t.c.queue.Checkouts(), t.c.cfg.QueueMax)...), nil
}

func (t *selector[S]) round(ctx context.Context, batch []*Added) error {
	t.batch, t.fate, t.events, t.tried, t.turned = batch, map[chain.Hash]Result{}, t.events[:0], nil, nil
	var fresh []*held[S]
	for _, a := range batch {
		fresh = append(fresh, t.admit(a.block)...)
	}
	t.vol.evict(t.evicted)
	if err := t.show(ctx, batch); err != nil {
		return err
	}
	m, err := t.choose(ctx, fresh)
	if err != nil {
		return err
	}
	if m != nil {
		if err := t.commit(ctx, m); err != nil {
			return err
		}
	}
	t.declineTips()
	t.declined = t.declined.with(t.turned, t.c.cfg.LogMax)
	if err := t.settle(ctx, batch); err != nil {
		return err
	}
	for _, e := range t.events {
		t.c.cfg.Tracer.Emit(ctx, e)
	}
	return nil
}

// show moves the batch from the queue to the volatile part, as others see it.
func (t *selector[S]) show(ctx context.Context, batch []*Added) error {
	return stm.Do(ctx, func(tx *stm.Tx) error {
		t.c.volatile.Set(tx, t.vol.shown)
		for _, a := range batch {
			t.c.queue.Done(tx, a.hash())
			if _, refused := t.fate[a.hash()]; !refused {
				a.store(tx)
			}
		}
		return nil
	})
}

// settle shows what the round found out beside a move, and keeps the promises.
func (t *selector[S]) settle(ctx context.Context, batch []*Added) error {
	results := make([]Result, len(batch))
	for i, a := range batch {
		results[i] = t.result(a.block)
		if r := results[i]; !r.Selected() && r.Verdict != Invalid {
			t.events = append(t.events, Event{Verdict: r.Verdict, Block: a.block.Header.Tip(), Tip: r.Tip, Why: t.reason(r, a.block)})
		}
	}
	return stm.Do(ctx, func(tx *stm.Tx) error {
		t.publish(tx)
		for i, a := range batch {
			a.decide(tx, results[i])
		}
		return nil
	})
}

// reason is why a block of the batch is not selected.
func (t *selector[S]) reason(r Result, b chain.Block) string {
	switch r.Verdict {
	case NotBetter:
		return t.whyNot(b.Header.Tip())
	case TooOld:
		return whyOld
	case TooFar:
		return whyFar
	case Full:
		return whyFull
	}
	return ""
}

// publish sets all that the selection task shows.
func (t *selector[S]) publish(tx *stm.Tx) {
	set(tx, t.c.sel, t.sel)
	set(tx, t.c.volatile, t.vol.shown)
	set(tx, t.c.invalid, t.bad.errs)
	set(tx, t.c.stats, t.stat)
	set(tx, t.c.last, t.last)
	set(tx, t.c.switches, t.switches)
	set(tx, t.c.declined, t.declined)
	if t.due != nil {
		_, _ = t.c.next.Put(tx, t.due)
	}
}

// result is where a block of the batch stands at the end of the round.
func (t *selector[S]) result(b chain.Block) Result {
	hash, tip := b.Header.Hash(), t.sel.Tip()
	if i, ok := t.sel.find(hash); ok {
		if t.last.To == tip && t.last.Depth > 0 && t.sel.tipAt(i).BlockNo > tip.BlockNo-chain.BlockNo(t.last.Added) {
			return Result{Verdict: Switched, Tip: tip}
		}
		return Result{Verdict: Extended, Tip: tip}
	}
	if h := t.vol.by[hash]; h != nil {
		if h.linked {
			return Result{Verdict: NotBetter, Tip: tip}
		}
		return Result{Verdict: Waiting, Tip: tip}
	}
	r, ok := t.fate[hash]
	if !ok { // known when it came, on the selection, and passed by its anchor since
		r.Verdict = TooOld
	}
	r.Tip = tip
	return r
}

// set writes a Var only if that changes it, so that nobody is woken for nothing.
func set[T comparable](tx *stm.Tx, v *stm.Var[T], x T) {
	if v.Get(tx) != x {
		v.Set(tx, x)
	}
}
