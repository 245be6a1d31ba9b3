package stm

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/synodkit/synod/internal/seam"
	"github.com/synodkit/synod/internal/seam/waitlist"
)

// wait is all that is left of a transaction while it is parked; its Tx serves others meanwhile. It wakes by a condition
// variable where nothing but a write can end it, and by a channel beside a context or a timer. The channel is made per
// wait: one kept across waits would not block durably in a testing/synctest bubble.
type wait struct {
	mu    sync.Mutex
	cond  sync.Cond     // of mu
	fired bool          // guarded by mu
	ch    chan struct{} // closed when fired; nil if cond is used
	sim   *simWait      // nil in production

	alarm   time.Time
	done    <-chan struct{} // the context's
	limited bool            // the context has a deadline; known if the wait is listed
	list    *waitlist.List  // of the context's owner; may be nil
	place   waitlist.Place
	nodes   []node // the Vars read, each once, in the order of the first reads
	few     [2]node
}

// simWait is the part of a wait that is the simulation's.
type simWait struct {
	world seam.World
	token seam.Token
}

func newWait() *wait {
	w := new(wait)
	w.cond.L = &w.mu
	return w
}

// fire ends the wait.
func (w *wait) fire() {
	if w.sim != nil {
		w.sim.world.Unpark(&w.sim.token)
		return
	}
	w.mu.Lock()
	if !w.fired {
		w.fired = true
		if w.ch != nil {
			close(w.ch)
		} else {
			w.cond.Signal()
		}
	}
	w.mu.Unlock()
}

// take makes w the wait of the run that has just retried, for its Vars and its instant.
func (w *wait) take(tx *Tx) {
	rs := distinct(tx.rs)
	clear(tx.rs[len(rs):])
	tx.rs = rs
	if w.nodes = w.few[:]; len(tx.rs) > len(w.few) {
		w.nodes = make([]node, len(tx.rs))
	}
	w.nodes = w.nodes[:len(tx.rs)]
	for i := range tx.rs {
		n := &w.nodes[i]
		n.w, n.c, n.seen = w, tx.rs[i].c, tx.rs[i].l&^waitBit
	}
	w.fired, w.alarm = false, tx.alarm
}

// ask asks ctx all there is to ask, before anything is registered: ctx may be a user's, and panic.
func (w *wait) ask(ctx context.Context, next *Tx) {
	w.done, w.list = ctx.Done(), waitlist.Under(ctx)
	if w.list != nil {
		_, w.limited = ctx.Deadline()
	}
	if len(w.nodes) == 0 && w.alarm.IsZero() && w.done == nil {
		panic(cmp.Or(next, newTx()).forever())
	}
}

// rest recycles w, unregistered.
func (w *wait) rest() {
	clear(w.nodes)
	w.nodes, w.ch, w.done, w.list, w.limited = nil, nil, nil, nil, false
	pool.waits.Put(w)
}

// block waits until something read has changed, the alarm has come or ctx is done; only the last is an error. It gives
// tx back. The transaction goes on in another one.
func (tx *Tx) block(ctx context.Context) (*Tx, error) {
	if err := ended(ctx); err != nil {
		tx.release()
		return nil, err
	}
	if seam.Running() {
		refuseOwned(tx.rs)
	}
	w, _ := pool.waits.Get().(*wait)
	if w == nil {
		w = newWait()
	}
	w.take(tx)
	next := tx.lend()
	w.ask(ctx, next)
	if w.done != nil || !w.alarm.IsZero() {
		w.ch = make(chan struct{})
	}
	if w.register() {
		w.show()
		w.sleep()
		w.hide()
	}
	w.unregister()
	w.rest()
	if err := ended(ctx); err != nil {
		return nil, err
	}
	return next.back(), nil
}

// lend gives tx back for the time of a wait, but not one that is watched over; see special.go.
func (tx *Tx) lend() *Tx {
	if tx.extra != nil {
		return tx
	}
	tx.release()
	return nil
}

// back is the Tx that goes on after a wait.
func (tx *Tx) back() *Tx {
	if tx == nil {
		if tx = acquire(); tx.extra != nil { // debugging has begun meanwhile; this one goes on as it began
			tx = newTx()
		}
	}
	tx.restart()
	return tx
}

func (w *wait) sleep() {
	if w.ch == nil {
		w.doze()
		return
	}
	if w.alarm.IsZero() {
		select {
		case <-w.ch:
		case <-w.done:
		}
		return
	}
	t := seam.NewTimer(w.alarm.Sub(seam.Now(nil)))
	defer t.Stop()
	select {
	case <-w.ch:
	case <-w.done:
	case <-t.C:
	}
}

// doze waits for fire alone.
func (w *wait) doze() {
	w.mu.Lock()
	for !w.fired {
		w.cond.Wait()
	}
	w.mu.Unlock()
}

// refuseOwned panics when a transaction outside a running simulation waits for one of its Vars.
func refuseOwned(rs []read) {
	for i := range rs {
		if o := rs[i].c.owner.Load(); o != 0 && seam.Alive(uint32(o>>32)) {
			panic("stm: Var " + rs[i].c.name() + " belongs to a running simulation")
		}
	}
}
