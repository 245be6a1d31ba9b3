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
		if tx, err = tx.blockIn(ctx, w); err != nil {
			return r, err
		}
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
func (tx *Tx) blockIn(ctx context.Context, world seam.World) (*Tx, error) {
	var more []uint32 // the context's id
	if ctx.Done() != nil {
		own, _ := seam.Own(ctx)
		more = []uint32{own.ID()}
	}
	if err := ended(ctx); err != nil {
		tx.report(world, false, false, more...)
		tx.release()
		return nil, err
	}
	w := new(wait)
	w.take(tx)
	tx.report(world, false, true, more...)
	next := tx.lend()
	w.ask(ctx, next)
	w.sim = &simWait{world, seam.Token{At: w.alarm, On: (*waitLabels)(w)}}
	w.register()
	defer func() { // a killed task unwinds through here
		w.hide()
		w.unregister()
	}()
	w.show()
	defer seam.Wake(ctx, world, &w.sim.token)()
	world.Park(&w.sim.token)
	if err := ended(ctx); err != nil {
		for i := range w.nodes {
			more = append(more, w.nodes[i].c.id(world))
		}
		world.Effect(&seam.Effect{Reads: more, Labels: (*waitLabels)(w)})
		return nil, err
	}
	return next.back(), nil
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

// waitLabels is a wait as the seam's Labels.
type waitLabels wait

// Each calls f for every Var waited for.
func (l *waitLabels) Each(f func(id uint32, label string)) {
	for i := range l.nodes {
		f(uint32(l.nodes[i].c.owner.Load()), l.nodes[i].c.name())
	}
}
