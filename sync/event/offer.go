package event

import "github.com/synodkit/synod/stm"

// token is what all offers of one Sync have in common: that only one of them can be taken.
type token struct {
	outcome *stm.Var[*met]
	offers  []interface{ leave(tx *stm.Tx) } // published together with the token, and not changed after
}

// met is which of the offers was taken, and what it was taken with.
type met struct {
	nth   int
	value any
}

func newToken() *token { return &token{outcome: stm.NewVar[*met](nil).Label("event.offer")} }

// meet takes one of the offers, and so all of them.
func (t *token) meet(tx *stm.Tx, m *met) {
	t.outcome.Set(tx, m)
	t.withdraw(tx)
}

func (t *token) withdraw(tx *stm.Tx) {
	for _, o := range t.offers {
		o.leave(tx)
	}
}

// line is those who wait at one side of a Chan, in the order in which they came.
type line[T any] struct{ first, last *stm.Var[*offer[T]] }

// offer is one of them.
type offer[T any] struct {
	owner         *token
	nth           int // among the alternatives of its owner
	value         T   // of one who sends
	in            *line[T]
	ahead, behind *stm.Var[*offer[T]]
}

func newLine[T any]() *line[T] {
	return &line[T]{stm.NewVar[*offer[T]](nil), stm.NewVar[*offer[T]](nil)}
}

func (l *line[T]) join(tx *stm.Tx, o *offer[T]) {
	last := l.last.Get(tx)
	o.in, o.ahead, o.behind = l, stm.NewVar(last), stm.NewVar[*offer[T]](nil)
	if last != nil {
		last.behind.Set(tx, o)
	} else {
		l.first.Set(tx, o)
	}
	l.last.Set(tx, o)
	o.owner.offers = append(o.owner.offers, o)
}

func (o *offer[T]) leave(tx *stm.Tx) {
	ahead, behind := o.ahead.Get(tx), o.behind.Get(tx)
	if ahead != nil {
		ahead.behind.Set(tx, behind)
	} else {
		o.in.first.Set(tx, behind)
	}
	if behind != nil {
		behind.ahead.Set(tx, ahead)
	} else {
		o.in.last.Set(tx, ahead)
	}
}
