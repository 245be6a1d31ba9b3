package mempool

import (
	"context"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/prop"
)

// syncer is the private state of the task that follows the selection.
//
// It works in moves. A move reads the blocks that lie between the chain the pool stands on and the selection's, validates what returns, what is
// pending and what was kept aside on the new state, all outside any transaction, and changes the pool in one transaction. What is added
// meanwhile is validated in further rounds; if they do not end, the next additions wait for that transaction.
type syncer[S, X any] struct {
	p       *Pool[S, X]
	placed  bool           // there was a move
	known   chain.Fragment // the chain that the pool stands on
	history history
	kept    map[chain.Hash]*kept[X]

	// arrange orders what stays: what returns, then what was pending, then what was aside. A field, so that tests can plant one that would be wrong.
	arrange func(q *pass[S, X], m *move[S, X], base *content[S, X])
}

// kept is a transaction in the journal that is not pending: included at a block, or aside since the ledger refused it at a tip.
type kept[X any] struct {
	local *local[X]
	at    chain.Tip
	aside bool
}

// holdAfter is how many rounds of validating what came meanwhile a move makes before additions have to wait.
const holdAfter = 4

func newSyncer[S, X any](p *Pool[S, X]) *syncer[S, X] {
	t := &syncer[S, X]{p: p, kept: map[chain.Hash]*kept[X]{}}
	t.arrange = t.inOrder
	return t
}

// run is the task. It ends with ctx, or with the first block of the selection that cannot be read.
func (t *syncer[S, X]) run(ctx context.Context) error {
	for {
		to, err := stm.Query(ctx, func(tx *stm.Tx) target[S] {
			f, s := t.p.cfg.Selection(tx)
			tx.Check(f.Tip() != t.known.Tip())
			return target[S]{f, s}
		})
		if err == nil {
			err = t.follow(ctx, to)
		}
		if err != nil {
			return err
		}
	}
}

// resume makes the first move, from nowhere.
func (t *syncer[S, X]) resume(ctx context.Context, locals []*local[X]) error {
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		for _, l := range locals {
			t.p.index.put(tx, &record[X]{id: l.item.id, local: l})
		}
		return nil
	})
	for _, l := range locals {
		t.kept[l.item.id] = &kept[X]{local: l, aside: true}
	}
	for err == nil && !t.placed {
		var to target[S]
		to, err = stm.Query(ctx, func(tx *stm.Tx) target[S] {
			f, s := t.p.cfg.Selection(tx)
			return target[S]{f, s}
		})
		if err == nil {
			err = t.follow(ctx, to)
		}
	}
	return err
}

// follow makes one move.
func (t *syncer[S, X]) follow(ctx context.Context, to target[S]) error {
	if err := t.learn(ctx); err != nil {
		return err
	}
	m, err := t.plan(ctx, to)
	if err != nil {
		if t.moved(ctx, to) {
			return nil // a block that was selected then is gone: begin again
		}
		return err
	}
	if m.blind {
		if err := t.forgetAll(ctx); err != nil {
			return err
		}
	}
	base, seen, err := t.reserve(ctx, m)
	if err != nil {
		return err
	}
	q := &pass[S, X]{check: t.p.cfg.Ledger.Check, state: m.state, ticket: base.next}
	t.arrange(q, m, base)
	for round := 0; ; round++ {
		if q, err = t.makeRoom(ctx, q, m.state); err != nil {
			return err
		}
		done, err := t.commit(ctx, m, q, attempt{seen, round >= holdAfter})
		if err != nil {
			return err
		}
		if done.arrived == nil {
			return t.finish(ctx, m, done)
		}
		for _, s := range done.arrived {
			seen = s.ticket
			if _, in := m.included[s.id]; !in && !m.back[s.id] {
				q.add(s)
			}
		}
	}
}

// learn takes over what Submit found on the chain.
func (t *syncer[S, X]) learn(ctx context.Context) error {
	var found []*kept[X]
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		found = nil
		for _, l := range prop.Rest(tx, t.p.late, t.p.late.Len(tx)) {
			if r := t.p.index.find(tx, l.item.id); r != nil && r.local == l && r.stage != Pending {
				found = append(found, &kept[X]{l, r.at, r.stage == Refused})
			}
		}
		return nil
	})
	for _, k := range found {
		t.kept[k.local.item.id] = k
	}
	return err
}

// reserve is what is pending, with tickets up to last set aside for the move.
func (t *syncer[S, X]) reserve(ctx context.Context, m *move[S, X]) (base *content[S, X], last uint64, err error) {
	base, err = stm.Atomically(ctx, func(tx *stm.Tx) (*content[S, X], error) {
		c := t.p.content.Get(tx)
		next := *c
		next.next += uint64(len(m.returned) + c.order.Len() + len(t.kept))
		last = next.next - 1
		t.p.content.Set(tx, &next)
		return c, nil
	})
	return base, last, err
}

// inOrder is arrange as it should be.
func (t *syncer[S, X]) inOrder(q *pass[S, X], m *move[S, X], base *content[S, X]) {
	renew := false
	for _, it := range m.returned {
		renew = q.revive(it) || renew
	}
	for ticket, it := range base.order.All() {
		s := slot[X]{ticket, it}
		if _, in := m.included[s.id]; in || m.back[s.id] {
			continue
		}
		if renew { // tickets grow along the order
			s.ticket = 0
		}
		q.add(s)
	}
	for _, l := range t.keptWhere(func(k *kept[X]) bool { return k.aside }) {
		if _, in := m.included[l.item.id]; !in && !m.back[l.item.id] {
			q.revive(l.item)
		}
	}
}
