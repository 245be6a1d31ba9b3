package explore

// order is the happens-before order of one run: program order, starting and joining, the moves of time, and conflicts.
type order struct {
	events []event
	task   []int     // number of each event's task
	clocks [][]int32 // clocks[j][p]: how far into the run task p's past of event j reaches, as index+1
	number map[uint64]int
}

// before reports whether event a comes before event b in every equivalent run, or is b.
func (o *order) before(a, b int) bool { return o.clocks[b][o.task[a]] > int32(a) }

// newOrder goes through the run and calls race for every two conflicting events that nothing else orders, with the
// later one's clock not yet holding the earlier.
func newOrder(events []event, race func(o *order, i, j int)) *order {
	o := &order{events: events, number: map[uint64]int{}}
	for i := range events {
		o.task = append(o.task, o.num(events[i].task))
		for _, t := range events[i].started {
			o.num(t)
		}
	}
	o.clocks = make([][]int32, len(events))
	next := make([][]int32, len(o.number)) // what the next event of each task is after
	for t := range next {
		next[t] = make([]int32, len(o.number))
	}
	now, sofar := make([]int32, len(o.number)), make([]int32, len(o.number))
	for j := range events {
		e, me := &events[j], o.task[j]
		if j > 0 && e.moves != events[j-1].moves {
			copy(now, sofar)
		}
		c := append([]int32(nil), next[me]...)
		raise(c, now)
		for _, t := range e.before {
			raise(c, next[o.num(t)])
		}
		o.clocks[j] = c
		o.conflicts(j, race)
		c[me] = int32(j + 1)
		sofar[me] = int32(j + 1)
		next[me] = c
		for _, t := range e.started {
			o.after(next, t, c)
		}
		for _, t := range e.woken {
			if o.opaque(t, j) {
				o.after(next, t, c)
			}
		}
	}
	return o
}

// conflicts orders event j after the earlier ones it conflicts with.
func (o *order) conflicts(j int, race func(o *order, i, j int)) {
	c, e := o.clocks[j], &o.events[j]
	for i := j - 1; i >= 0; i-- {
		if c[o.task[i]] > int32(i) || o.task[i] == o.task[j] || !o.events[i].access.dependent(e.access) {
			continue
		}
		if race != nil {
			race(o, i, j)
		}
		raise(c, o.clocks[i])
	}
}

// after makes the next event of a task come after c.
func (o *order) after(next [][]int32, task uint64, c []int32) {
	t := o.num(task)
	n := append([]int32(nil), next[t]...)
	raise(n, c)
	next[t] = n
}

// opaque reports whether the last event of task before event j is a wait for something that is no Var.
func (o *order) opaque(task uint64, j int) bool {
	k := o.last(task, j)
	return k >= 0 && o.events[k].opaque
}

// last is the last event of task before event j, or -1.
func (o *order) last(task uint64, j int) int {
	for j--; j >= 0 && o.events[j].task != task; j-- {
	}
	return j
}

func (o *order) num(task uint64) int {
	n, ok := o.number[task]
	if !ok {
		n = len(o.number)
		o.number[task] = n
	}
	return n
}

func raise(c, d []int32) {
	for i, x := range d {
		c[i] = max(c[i], x)
	}
}
