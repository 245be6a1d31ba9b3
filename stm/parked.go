package stm

import "github.com/synodkit/synod/internal/seam/waitlist"

// parkedTx is a Tx that waits, as it is shown to who looks at its task.
type parkedTx Tx

// Each calls f for every Var waited for.
func (p *parkedTx) Each(f func(v uintptr, label string)) {
	for i := range p.rs {
		f(address(p.rs[i].c), p.rs[i].c.label())
	}
}

// Ends reports whether the wait ends without another write.
func (p *parkedTx) Ends() bool {
	w := &p.wait
	select {
	case <-w.done:
		return true
	default:
	}
	fired := w.token.Fired
	if w.world == nil {
		w.mu.Lock()
		fired = w.fired
		w.mu.Unlock()
	}
	return fired || w.limited || !p.alarm.IsZero()
}

// show enters the wait in l, if there is one, until hide.
func (tx *Tx) show(l *waitlist.List) {
	if l != nil {
		tx.place.On = (*parkedTx)(tx)
		l.Enter(&tx.place)
	}
}

func (tx *Tx) hide(l *waitlist.List) {
	if l != nil {
		l.Leave(&tx.place)
	}
}
