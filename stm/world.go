package stm

import (
	"context"

	"github.com/synodkit/synod/internal/seam"
)

// simulated is Atomically inside a simulation. One task runs at a time, so a transaction is one step, commits never
// conflict and the version clock of production is left alone. A wait ends the step; the rerun is the next.
//
//go:noinline
func simulated[T any](ctx context.Context, f func(tx *Tx) (T, error)) (r T, err error) {
	w := seam.From(ctx)
	w.Point()
	tx := acquire()
	if tx.extra != nil {
		f = checked(f)
	}
	tx.begin()
	for {
		tx.used, tx.world, tx.now = true, w, w.Now()
		w.InTx(true)
		r, err = attempt(tx, f)
		w.InTx(false)
		if tx.end == finished && (err == nil || !isRetry(err)) {
			tx.report(w, err == nil, false)
			if err != nil {
				tx.release()
				return r, err
			}
			tx.commitIn()
			tx.finish()
			return r, nil
		}
		if tx.end == aborted {
			panic(shared)
		}
		tx.settle()
		if err := tx.block(ctx); err != nil {
			tx.release()
			return r, err
		}
		tx.restart()
	}
}

const shared = "stm: a Var of this simulation was changed from outside it"

func (tx *Tx) commitIn() {
	if !tx.valid() {
		panic(shared)
	}
	for i := range tx.ws {
		tx.ws[i].c.publish(tx.ws[i].w, tx.ws[i].p)
	}
	for i := range tx.ws {
		if x := tx.ws[i].c.extra.Load(); x != nil {
			x.wake(^uint64(0))
		}
	}
}

// blockIn is block inside a simulation. Waiting for a context, and finding it done, read it.
func (tx *Tx) blockIn(ctx context.Context, w seam.World) error {
	if err := tx.endedIn(ctx, w); err != nil {
		return err
	}
	tx.refuseForever(ctx)
	if ctx.Done() != nil {
		own, _ := seam.Own(ctx)
		tx.report(w, false, true, own.ID())
	} else {
		tx.report(w, false, true)
	}
	l := tx.prepareWait(ctx)
	tx.wait.world = w
	tx.wait.token = seam.Token{At: tx.alarm, On: (*labels)(tx)}
	register(tx.rs, tx.nodes, &tx.wait)
	defer func() { // a killed task unwinds through here
		tx.hide(l)
		unregister(tx.nodes)
		tx.wait.world, tx.wait.done = nil, nil
	}()
	tx.show(l)
	defer seam.Wake(ctx, w, &tx.wait.token)()
	w.Park(&tx.wait.token)
	return tx.endedIn(ctx, w)
}

func (tx *Tx) endedIn(ctx context.Context, w seam.World) error {
	err := ended(ctx)
	if err != nil {
		own, _ := seam.Own(ctx)
		tx.report(w, false, false, own.ID())
	}
	return err
}

// report tells the world what the step just taken read and wrote.
func (tx *Tx) report(w seam.World, writes, blocked bool, more ...uint32) {
	e := &tx.effect
	e.Reads, e.Writes, e.Blocked, e.Labels = append(e.Reads[:0], more...), e.Writes[:0], blocked, (*labels)(tx)
	for i := range tx.rs {
		e.Reads = append(e.Reads, tx.rs[i].c.id(w))
	}
	for i := range tx.ws {
		if id := tx.ws[i].c.id(w); writes {
			e.Writes = append(e.Writes, id)
		}
	}
	w.Effect(e)
}

// labels is a Tx as the seam's Labels.
type labels Tx

// Each calls f for every Var read or written, in that order, with repetitions.
func (l *labels) Each(f func(id uint32, label string)) {
	for i := range l.rs {
		f(uint32(l.rs[i].c.owner.Load()), l.rs[i].c.name())
	}
	for i := range l.ws {
		f(uint32(l.ws[i].c.owner.Load()), l.ws[i].c.name())
	}
}
