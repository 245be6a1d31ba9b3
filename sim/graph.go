package sim

import (
	"cmp"
	"slices"
)

// edge is one thing that a task waits for, and the tasks that changed it last, newest first: who could change it again.
type edge struct {
	label string
	by    []*Task
}

// waits are the edges of t.
func (e *engine) waits(t *Task) []edge {
	switch {
	case t.joins != nil:
		return []edge{{"the end of task " + t.joins.label(), []*Task{t.joins}}}
	case t.token == nil || t.token.On == nil:
		return []edge{{label: "its turn"}}
	}
	var edges []edge
	seen := map[uint32]bool{}
	t.token.On.Each(func(id uint32, label string) {
		if !seen[id] {
			seen[id] = true
			edges = append(edges, edge{label, e.writers[id]})
		}
	})
	if !t.token.At.IsZero() {
		edges = append(edges, edge{label: "time"})
	}
	if len(edges) == 0 {
		edges = []edge{{label: "its context"}}
	}
	return edges
}

// label is a task's name, with its machine's before it.
func (t *Task) label() string {
	if t.life == nil || t.life.name == t.name {
		return t.name
	}
	return t.life.name + "/" + t.name
}

// waiting is the wait graph: every task that cannot go on, by age.
func (e *engine) waiting() []Wait {
	ts := slices.DeleteFunc(slices.Clone(e.tasks), func(t *Task) bool { return t.beside || t.at >= 0 })
	slices.SortFunc(ts, func(a, b *Task) int { return cmp.Compare(a.age, b.age) })
	var out []Wait
	for _, t := range ts {
		w := Wait{Task: t.label()}
		for _, x := range e.waits(t) {
			w.For = append(w.For, x.label)
			for _, u := range x.by {
				if u == t.joins { // it is named already
					continue
				}
				if name := u.label(); u != t && !slices.Contains(w.By, name) {
					w.By = append(w.By, name)
				}
			}
		}
		out = append(out, w)
	}
	return out
}

// WaitGraph is who waits for what now, and a cycle in it, if there is one that Record has seen come about.
func (e *engine) WaitGraph() ([]Wait, []string) { return e.waiting(), e.cycle() }

// cycle is a way through the wait graph that comes back to where it began: task, what it waits for, the task that changed that, and so on.
// It is known only with Record.
func (e *engine) cycle() []string {
	ts := slices.Clone(e.tasks)
	slices.SortFunc(ts, func(a, b *Task) int { return cmp.Compare(a.age, b.age) })
	s := search{e: e, seen: map[*Task]bool{}}
	for _, t := range ts {
		if s.from(t) {
			return s.way
		}
	}
	return nil
}

// search looks for a cycle, depth first.
type search struct {
	e    *engine
	path []*Task
	way  []string // task, label, task, label, ...
	seen map[*Task]bool
}

func (s *search) from(t *Task) bool {
	if i := slices.Index(s.path, t); i >= 0 {
		s.way = append(s.way[2*i:], t.label())
		return true
	}
	if s.seen[t] || t.done || t.at >= 0 || t.beside {
		return false
	}
	s.seen[t] = true
	s.path = append(s.path, t)
	for _, x := range s.e.waits(t) {
		s.way = append(s.way, t.label(), x.label)
		for _, u := range x.by {
			if u != t && s.from(u) {
				return true
			}
		}
		s.way = s.way[:len(s.way)-2]
	}
	s.path = s.path[:len(s.path)-1]
	return false
}

// writersMax tasks are remembered for each Var.
const writersMax = 4

// changed notes who changed what.
func (e *engine) changed(ids []uint32) {
	t := e.cur
	if t == nil || e.writers == nil {
		return
	}
	for _, id := range ids {
		if was := e.writers[id]; len(was) == 0 || was[0] != t {
			e.writers[id] = newest(t, was)
		}
	}
}

func newest(t *Task, was []*Task) []*Task {
	was = slices.DeleteFunc(slices.Clone(was), func(u *Task) bool { return u == t })
	return append([]*Task{t}, was[:min(len(was), writersMax-1)]...)
}
