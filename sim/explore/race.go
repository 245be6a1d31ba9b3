package explore

// race makes sure that the order of the conflicting events i and j is explored the other way round too: from the node
// before i, some task must go first with which a run begins where j does not come after i.
func (x *explorer) race(o *order, i, j int) {
	if j < x.known-1 {
		return // found before
	}
	if !x.reversible(o, i, j) {
		return
	}
	x.races++
	rest := o.unordered(i, j)
	last := o.events[j].task
	if !o.frees(rest, j) {
		last = 0
	}
	x.add(i, o.initials(rest, last))
}

// reversible reports whether j could happen without i. After a wait that i has ended it can only if something else might
// have ended it.
func (x *explorer) reversible(o *order, i, j int) bool {
	task := o.events[j].task
	if x.nodes[i].can(task) {
		return true
	}
	w := o.last(task, j)
	if w < 0 || w > i || !o.events[w].waits {
		return true
	}
	for _, k := range o.unordered(i, j) {
		if meet(o.events[k].access.writes, o.events[w].access.reads) {
			return true
		}
	}
	return false
}

// unordered are the events between i and j that do not come after i.
func (o *order) unordered(i, j int) []int {
	var rest []int
	for k := i + 1; k < j; k++ {
		if !o.before(i, k) {
			rest = append(rest, k)
		}
	}
	return rest
}

// frees reports whether j comes after none of events: its clock does not hold them, and it conflicts with none.
func (o *order) frees(events []int, j int) bool {
	for _, k := range events {
		if o.before(k, j) || o.events[k].access.dependent(o.events[j].access) {
			return false
		}
	}
	return true
}

// initials are the tasks that can go first in a run of events: those whose first one comes after no other. last, if not
// 0, is one more.
func (o *order) initials(events []int, last uint64) []uint64 {
	var tasks []uint64
	if last != 0 {
		tasks = append(tasks, last)
	}
	for n, k := range events {
		first := true
		for _, m := range events[:n] {
			if o.before(m, k) {
				first = false
				break
			}
		}
		if first {
			tasks = append(tasks, o.events[k].task)
		}
	}
	return tasks
}

// add makes the search go first from node i with one of tasks, unless it will already.
func (x *explorer) add(i int, tasks []uint64) {
	n := x.nodes[i]
	for _, t := range tasks {
		if n.wants(t) {
			return
		}
	}
	for _, t := range tasks {
		if n.can(t) {
			n.want = append(n.want, t)
			return
		}
	}
	n.want = append(n.want[:0], n.enabled...)
}

// endings lets the tasks that the end of the run has kept from running go first.
func (x *explorer) endings(events []event) {
	last := len(events) - 1
	if last < 0 || !events[last].access.all {
		return
	}
	n := x.nodes[last]
	n.want = append(n.want[:0], n.enabled...)
}

// sleepers is what makes the reduction sound for transactions. What a step uses depends on values: a task that sleeps
// at a node with a known step may do another one later in the run, and a conflict of the known step with the run would
// be missed. So the known step is raced against all that follows.
func (x *explorer) sleepers(o *order) {
	for i, n := range x.nodes {
		for _, s := range n.sleep {
			for k := max(i, x.known-1); k < len(o.events); k++ {
				if o.events[k].task == s.task || !s.dependent(o.events[k].access) {
					continue
				}
				var past []int
				for m := i; m <= k; m++ {
					if o.before(m, k) {
						past = append(past, m)
					}
				}
				x.add(i, o.initials(past, 0))
			}
		}
	}
}

// opaqueWaits races who has ended an opaque wait against all later steps: any of them might have ended it instead.
func (x *explorer) opaqueWaits(o *order) {
	for i := range o.events {
		for _, task := range o.events[i].woken {
			if !o.opaque(task, i) {
				continue
			}
			for k := max(i+1, x.known-1); k < len(o.events); k++ {
				if o.events[k].task != task && !o.before(i, k) {
					rest := o.unordered(i, k)
					last := o.events[k].task
					if !o.frees(rest, k) {
						last = 0
					}
					x.add(i, o.initials(rest, last))
				}
			}
		}
	}
}
