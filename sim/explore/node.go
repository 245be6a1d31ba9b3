package explore

import "slices"

// node is one scheduling decision of the run at hand, and what is known of its alternatives.
type node struct {
	enabled []uint64  // that could run, oldest first
	want    []uint64  // to be run first from here; grows as races are found
	done    []uint64  // from which everything was explored
	sleep   []sleeper // whose first step is covered by what was explored elsewhere
	chosen  uint64
	taken   event    // the step that followed
	seen    access   // what the chosen task's step used, over all choices in it
	choices []choice // of env.Choose in that step
}

// sleeper is a task and what its next step uses.
type sleeper struct {
	task uint64
	access
}

// choice is what env.Choose gave.
type choice struct {
	n, k int
	used bool // in the run at hand
}

func (n *node) asleep(task uint64) bool {
	return slices.ContainsFunc(n.sleep, func(s sleeper) bool { return s.task == task })
}

func (n *node) wants(task uint64) bool { return slices.Contains(n.want, task) }

func (n *node) can(task uint64) bool { return slices.Contains(n.enabled, task) }

// child is the node after n's step: who sleeps still sleeps, unless the step could have changed what it would do.
func (n *node) child() *node {
	c := &node{}
	for _, s := range n.sleep {
		if s.task != n.taken.task && !s.dependent(n.taken.access) {
			c.sleep = append(c.sleep, s)
		}
	}
	return c
}

// turn moves n to its next alternative. False: there is none.
func (n *node) turn() bool {
	n.seen = n.seen.with(n.taken.access)
	for last := len(n.choices) - 1; last >= 0; last-- {
		if c := &n.choices[last]; c.k+1 < c.n {
			c.k++
			return true
		}
		n.choices = n.choices[:last]
	}
	n.done = append(n.done, n.chosen)
	n.sleep = append(n.sleep, sleeper{n.chosen, n.seen})
	n.seen = access{}
	for _, t := range n.enabled {
		if n.wants(t) && !n.asleep(t) {
			n.chosen = t
			return true
		}
	}
	return false
}
