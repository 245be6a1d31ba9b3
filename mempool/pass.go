package mempool

import (
	"slices"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm/persist"
)

// pass validates transactions one after another and collects those that stay. It belongs to one task.
type pass[S, X any] struct {
	check   func(S, X) (S, error)
	state   S
	built   *persist.SeqEdit[*item[X]] // nil while none stays
	bytes   int
	shares  map[string]share // of lanes
	refused []refusal[X]
	revived []*item[X] // that stay and were not pending
	ticket  uint64     // the next new one
}

// refusal is a transaction that does not stay.
type refusal[X any] struct {
	item *item[X]
	err  error
}

// add validates a transaction; ticket 0 gives it a new one.
func (q *pass[S, X]) add(s slot[X]) bool {
	state, err := q.check(q.state, s.x)
	if err != nil {
		q.refused = append(q.refused, refusal[X]{s.item, &RefusedError{s.id, err}})
		return false
	}
	if s.ticket == 0 {
		s.ticket = q.ticket
		q.ticket++
	}
	q.state = state
	if q.built == nil {
		q.built = persist.NewSeq[*item[X]](s.ticket).Edit()
	}
	q.built.Set(s.ticket, s.item)
	q.bytes += len(s.raw)
	if s.lane != "" {
		if q.shares == nil {
			q.shares = map[string]share{}
		}
		q.shares[s.lane] = q.shares[s.lane].plus(len(s.raw))
	}
	return true
}

// order is what stays, to be followed by ticket next.
func (q *pass[S, X]) order(next uint64) order[X] {
	if q.built == nil {
		return persist.NewSeq[*item[X]](next)
	}
	return q.built.Seq()
}

// revive is add for one that was not pending.
func (q *pass[S, X]) revive(it *item[X]) bool {
	ok := q.add(slot[X]{item: it})
	if ok {
		q.revived = append(q.revived, it)
	}
	return ok
}

// without is the pass again, from state on, but for some that give way.
func (q *pass[S, X]) without(state S, gone map[chain.Hash]bool) *pass[S, X] {
	out := &pass[S, X]{check: q.check, state: state, refused: q.refused, ticket: q.ticket}
	for ticket, it := range q.order(q.ticket).All() {
		if gone[it.id] {
			out.refused = append(out.refused, refusal[X]{it, &RefusedError{it.id, ErrFull}})
		} else {
			out.add(slot[X]{ticket, it})
		}
	}
	refused := map[*item[X]]bool{}
	for _, r := range out.refused {
		refused[r.item] = true
	}
	out.revived = slices.DeleteFunc(q.revived, func(it *item[X]) bool { return refused[it] })
	return out
}
