package store

import (
	"context"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/cell"
)

// Ticket is the promise that a batch reaches the durability asked for, or the error that kept it from it. Any number of
// transactions may wait for it.
type Ticket struct{ reached *cell.Promise[struct{}] }

// NewTicket is a ticket not yet done. For implementations of Store.
func NewTicket() *Ticket { return &Ticket{cell.NewPromise[struct{}]()} }

// DoneTicket is a ticket done from the start. For implementations of Store.
func DoneTicket(err error) *Ticket {
	if err != nil {
		return &Ticket{cell.NewBroken[struct{}](err)}
	}
	return &Ticket{cell.NewKept(struct{}{})}
}

// Complete makes the ticket done; only the first time counts. For implementations of Store.
func (t *Ticket) Complete(tx *stm.Tx, err error) {
	if err != nil {
		t.reached.Fail(tx, err)
		return
	}
	_, _ = t.reached.Put(tx, struct{}{})
}

// Done reports whether the outcome is known, and what it is. It does not wait: Check(done) does.
func (t *Ticket) Done(tx *stm.Tx) (err error, done bool) {
	_, err, done = t.reached.Outcome(tx)
	return err, done
}

// Wait waits until the ticket is done. Its error is the store's, or that ctx ended first, which leaves the outcome open.
func (t *Ticket) Wait(ctx context.Context) error {
	_, err := stm.Atomically(ctx, t.reached.Await)
	return err
}
