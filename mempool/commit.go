package mempool

import (
	"context"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// attempt is one try to commit a move.
type attempt struct {
	seen uint64 // the last ticket validated
	hold bool   // if there are later ones, let no more come
}

// outcome is what a move did, or what came before it could.
type outcome[X any] struct {
	arrived []slot[X] // none of the rest has happened

	included, refused, revived []fate[X]
	stats                      Stats
	pending                    int
}

// fate is what a move made of a transaction.
type fate[X any] struct {
	record[X]
	news bool // it stood elsewhere before
}

// commit changes the pool in one transaction, unless something was added that the pass has not seen.
func (t *syncer[S, X]) commit(ctx context.Context, m *move[S, X], q *pass[S, X], a attempt) (outcome[X], error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (out outcome[X], _ error) {
		cur := t.p.content.Get(tx)
		for ticket, it := range cur.order.From(a.seen + 1) {
			out.arrived = append(out.arrived, slot[X]{ticket, it})
		}
		if out.arrived != nil {
			if a.hold {
				held := *cur
				held.hold = true
				t.p.content.Set(tx, &held)
			}
			return out, nil
		}
		t.p.content.Set(tx, &content[S, X]{
			tip: m.event.To, state: q.state, order: q.order(cur.next), bytes: q.bytes, lanes: lanesOf(q.shares), next: cur.next, added: cur.added,
		})
		out.pending = q.order(cur.next).Len()
		t.record(tx, m, q, &out)
		out.count(t.p.totals.Get(tx))
		t.p.totals.Set(tx, out.stats)
		return out, nil
	})
}

// record writes what the move means for each transaction.
func (t *syncer[S, X]) record(tx *stm.Tx, m *move[S, X], q *pass[S, X], out *outcome[X]) {
	for _, p := range m.lost {
		r := t.p.index.find(tx, p.id)
		if r == nil || r.stage != Included || r.at != p.at {
			continue
		}
		if r.local == nil {
			t.p.index.forget(tx, p.id)
		} else { // it became local meanwhile: the next move learns of it and tries it
			t.put(tx, record[X]{id: p.id, stage: Refused, at: m.event.To, err: &RefusedError{p.id, errGone}})
		}
	}
	for i, id := range m.ids {
		if i < len(m.ids)-t.p.cfg.Limits.HistoryMax && t.p.index.find(tx, id) == nil {
			continue // it would be forgotten at once
		}
		out.included = append(out.included, t.put(tx, record[X]{id: id, stage: Included, at: m.included[id]}))
	}
	for _, it := range q.revived {
		out.revived = append(out.revived, t.put(tx, record[X]{id: it.id, stage: Pending, item: it}))
	}
	for _, r := range q.refused {
		at := m.event.To
		if k := t.kept[r.item.id]; k != nil && k.aside && m.event.Removed == 0 && !m.blind {
			at = k.at // since then
		}
		out.refused = append(out.refused, t.put(tx, record[X]{id: r.item.id, stage: Refused, at: at, err: r.err}))
	}
}

// put sets a record, which stays local if it was.
func (t *syncer[S, X]) put(tx *stm.Tx, r record[X]) fate[X] {
	was := t.p.index.find(tx, r.id)
	if was != nil {
		r.local = was.local
	}
	f := fate[X]{r, was != nil && was.stage != r.stage}
	t.p.index.put(tx, &r)
	return f
}

// count adds the outcome to the counts so far.
func (o *outcome[X]) count(st Stats) {
	st.Returned += uint64(len(o.revived))
	for _, f := range o.included {
		if f.news {
			st.Included++
		}
	}
	for _, f := range o.refused {
		switch {
		case isFull(f.err):
			st.Dropped++
		case f.news:
			st.Refused++
		}
	}
	o.stats = st
}

// makeRoom lets the newest remote transactions go until what stays is within the limits. Local ones always are: the journal's limits are no greater.
func (t *syncer[S, X]) makeRoom(ctx context.Context, q *pass[S, X], state S) (*pass[S, X], error) {
	most := t.p.cfg.Limits
	order := q.order(q.ticket)
	if order.Len() <= most.CountMax && q.bytes <= most.BytesMax {
		return q, nil
	}
	gone, err := stm.Query(ctx, func(tx *stm.Tx) map[chain.Hash]bool {
		gone := map[chain.Hash]bool{}
		n, bytes := order.Len(), q.bytes
		for _, it := range order.Backward() {
			if n <= most.CountMax && bytes <= most.BytesMax {
				break
			}
			if r := t.p.index.find(tx, it.id); r == nil || r.local == nil {
				gone[it.id] = true
				n, bytes = n-1, bytes-len(it.raw)
			}
		}
		return gone
	})
	if err != nil {
		return nil, err
	}
	return q.without(state, gone), nil
}
