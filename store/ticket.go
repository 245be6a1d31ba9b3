package store

import (
	"context"

	"github.com/synodkit/synod/stm"
)

// Ticket is the promise that a batch reaches the durability asked for, or the error that kept it from it. Any number of
// transactions may wait for it.
type Ticket struct {
	state *stm.Var[outcome]
}

type outcome struct {
	done bool
	err  error
}

// NewTicket is a ticket not yet done. For implementations of Store.
func NewTicket() *Ticket { return &Ticket{stm.NewVar(outcome{})} }

// DoneTicket is a ticket done from the start. For implementations of Store.
func DoneTicket(err error) *Ticket { return &Ticket{stm.NewVar(outcome{true, err})} }

// Complete makes the ticket done; only the first time counts. For implementations of Store.
func (t *Ticket) Complete(tx *stm.Tx, err error) {
	if !t.state.Get(tx).done {
		t.state.Set(tx, outcome{true, err})
	}
}

// Done reports whether the outcome is known, and what it is. It does not wait: Check(done) does.
func (t *Ticket) Done(tx *stm.Tx) (err error, done bool) {
	o := t.state.Get(tx)
	return o.err, o.done
}

// Wait waits until the ticket is done. Its error is the store's, or that ctx ended first, which leaves the outcome open.
func (t *Ticket) Wait(ctx context.Context) error {
	var out error
	err := stm.Do(ctx, func(tx *stm.Tx) error {
		err, done := t.Done(tx)
		tx.Check(done)
		out = err
		return nil
	})
	if err != nil {
		return err
	}
	return out
}
