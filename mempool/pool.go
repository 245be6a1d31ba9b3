package mempool

import (
	"context"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/queue"
)

// Pool holds the transactions that wait for a block, in an order in which they are valid on the selected chain. Made by [Open]; safe for
// concurrent use.
type Pool[S, X any] struct {
	cfg     Config[S, X]
	journal *journal[X]

	// Additions append to content and index; all other changes are the sync task's.
	content *stm.Var[*content[S, X]]
	index   index[X]
	late    *queue.Queue[*local[X]] // transactions that became local when they were on the chain already, at most LocalMax; emptied by the sync task
	lates   queue.Gauge             // of late
	totals  *stm.Var[Stats]         // counts of the sync task
	failed  *stm.Var[error]         // wraps ErrClosed
}

// Open replays the journal, brings its transactions and the pool onto the selected chain, and starts two tasks in s: one follows the selection, one
// writes the journal. A transaction of the journal is pending afterwards, or on the chain, or refused by the ledger.
//
// Errors: a field of cfg; a *CorruptError naming an entry of the journal; the store's or Config.Block's; that of ctx.
func Open[S, X any](ctx context.Context, s *registry.Scope, cfg Config[S, X]) (*Pool[S, X], error) {
	p, t, err := open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return p, p.start(ctx, s, t)
}

// open is a pool whose tasks are not started.
func open[S, X any](ctx context.Context, cfg Config[S, X]) (*Pool[S, X], *syncer[S, X], error) {
	if err := cfg.complete(); err != nil {
		return nil, nil, err
	}
	l := cfg.Limits
	p := &Pool[S, X]{
		cfg: cfg, journal: newJournal[X](cfg.Store, cfg.Prefix, l),
		content: stm.NewVar(&content[S, X]{next: 1}).Label("mempool.content"),
		index:   newIndex[X](env.Rand(ctx), l.CountMax+l.LocalMax+l.HistoryMax),
		totals:  stm.NewVar(Stats{}).Label("mempool.totals"),
		failed:  stm.NewVar[error](nil).Label("mempool.failed"),
	}
	p.late = queue.Unbounded[*local[X]](&p.lates).Label("mempool.late")
	locals, err := p.journal.load(ctx, cfg.Ledger.Parse)
	if err != nil {
		return nil, nil, err
	}
	t := newSyncer(p)
	if err := t.resume(ctx, locals); err != nil {
		return nil, nil, err
	}
	return p, t, nil
}

func (p *Pool[S, X]) start(ctx context.Context, s *registry.Scope, t *syncer[S, X]) error {
	for _, d := range []struct {
		name string
		run  func(ctx context.Context) error
	}{{"mempool.journal", p.journal.run}, {"mempool", t.run}} {
		err := s.Daemon(ctx, d.name, func(ctx context.Context, ready func()) error {
			ready()
			err := d.run(ctx)
			p.close(ctx, err)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// close makes all commands fail from now on.
func (p *Pool[S, X]) close(ctx context.Context, cause error) {
	closed := ErrClosed
	if cause != nil {
		closed = fmt.Errorf("%w: %w", ErrClosed, cause)
	}
	_ = stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
		if p.failed.Get(tx) == nil {
			p.failed.Set(tx, closed)
		}
		return nil
	})
}

// Has reports whether a transaction need not be fetched: it is pending, in the journal, or known to be on the chain.
func (p *Pool[S, X]) Has(tx *stm.Tx, id chain.Hash) bool {
	r := p.index.find(tx, id)
	return r != nil && (r.stage != Refused || r.local != nil)
}

// Room reports whether one transaction more has room, of that size. For several ask with the sum of their sizes: then they have, unless CountMax
// is near.
func (p *Pool[S, X]) Room(tx *stm.Tx, bytes int) bool { return p.room(p.content.Get(tx), "", bytes) }

func (p *Pool[S, X]) room(c *content[S, X], lane string, bytes int) bool {
	l := &p.cfg.Limits
	return c.order.Len() < l.CountMax && bytes <= l.BytesMax-c.bytes && (lane == "" || l.admits(c.lanes.all, c.lanes.of(lane), bytes))
}

// After is the first pending transaction with a greater ticket, for walking along the pool: start with 0, go on with next. Tickets are at least 1, grow
// along the order, and are never used again. A transaction that returns has a new one, as all have that stand after it.
func (p *Pool[S, X]) After(tx *stm.Tx, ticket uint64) (next uint64, id chain.Hash, bytes int, ok bool) {
	for next, it := range p.content.Get(tx).order.From(ticket + 1) {
		return next, it.id, len(it.raw), true
	}
	return 0, id, 0, false
}

// Bytes are those of a pending transaction, not to be written to; false if it is not pending.
func (p *Pool[S, X]) Bytes(tx *stm.Tx, id chain.Hash) ([]byte, bool) {
	if r := p.index.find(tx, id); r != nil && r.item != nil {
		return r.item.raw, true
	}
	return nil, false
}

// Snapshot is what is pending.
func (p *Pool[S, X]) Snapshot(tx *stm.Tx) Snapshot[S, X] {
	c := p.content.Get(tx)
	return Snapshot[S, X]{
		Tip: c.tip, State: c.state, Len: c.order.Len(), SizeBytes: c.bytes, order: c.order, check: p.cfg.Ledger.Check,
	}
}

// Status is where a transaction stands. What was included or refused is forgotten after HistoryMax others, unless it is in the journal.
func (p *Pool[S, X]) Status(tx *stm.Tx, id chain.Hash) Status {
	r := p.index.find(tx, id)
	if r == nil {
		return Status{}
	}
	return Status{Stage: r.stage, At: r.at, Err: r.err}
}

// Stats are the pool's sizes and counts.
func (p *Pool[S, X]) Stats(tx *stm.Tx) Stats {
	st, c, u := p.totals.Get(tx), p.content.Get(tx), p.journal.usage.Get(tx)
	st.Count, st.SizeBytes, st.Local, st.LocalBytes, st.Added = c.order.Len(), c.bytes, u.count, u.bytes, c.added
	return st
}
