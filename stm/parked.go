package stm

// parkedWait is a wait as it is shown to who looks at its task.
type parkedWait wait

// Each calls f for every Var waited for.
func (p *parkedWait) Each(f func(v uintptr, label string)) {
	for i := range p.nodes {
		f(address(p.nodes[i].c), p.nodes[i].c.label())
	}
}

// Ends reports whether the wait ends without another write.
func (p *parkedWait) Ends() bool {
	select {
	case <-p.done:
		return true
	default:
	}
	return p.limited || !p.alarm.IsZero() || (*wait)(p).over()
}

func (w *wait) over() bool {
	if w.sim != nil {
		return w.sim.token.Fired
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fired
}

// show enters the wait in the list of its context's owner, if there is one, until hide.
func (w *wait) show() {
	if w.list != nil {
		w.place.On = (*parkedWait)(w)
		w.list.Enter(&w.place)
	}
}

func (w *wait) hide() {
	if w.list != nil {
		w.list.Leave(&w.place)
	}
}
