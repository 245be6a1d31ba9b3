package sim

import (
	"strconv"
	"strings"
)

// Name is the name the task was started with.
func (t *Task) Name() string { return t.name }

// ID is the task's identity: it follows from its path, so it is the same in runs that differ.
func (t *Task) ID() uint64 { return t.id }

// Path is the way from the first task, which is 0, by numbers of children: 0.2.1 is the first child of its second.
func (t *Task) Path() string {
	if t.parent == nil {
		return "0"
	}
	return t.parent.Path() + "." + strconv.Itoa(t.nth)
}

// Parent is the task that has started t, or its timer; nil for the first task.
func (t *Task) Parent() *Task { return t.parent }

// Older reports whether t was started before u.
func (t *Task) Older(u *Task) bool { return t.age < u.age }

// child makes a task of parent's, which nothing runs yet.
func (e *engine) child(parent *Task, name string, run func()) *Task {
	t := &Task{name: name, id: pathStart, parent: parent, run: run, fresh: true, at: -1}
	if parent != nil {
		parent.kids++
		t.nth = parent.kids
		t.id = childID(parent.id, t.nth)
		t.life = parent.life
	}
	return t
}

// The id of the first task, and what ids of children are made with.
const (
	pathStart  = 0x51F15EED
	pathFactor = 0x9E3779B97F4A7C15
)

func childID(parent uint64, nth int) uint64 {
	id := (parent ^ uint64(nth)) * pathFactor
	return id ^ id>>29
}

// pathID is the id of the task with that path.
func pathID(path string) (id uint64, ok bool) {
	id = pathStart
	for i, f := range strings.Split(path, ".") {
		n, err := strconv.Atoi(f)
		if err != nil || i == 0 && n != 0 || i > 0 && n < 1 || strconv.Itoa(n) != f {
			return 0, false
		}
		if i > 0 {
			id = childID(id, n)
		}
	}
	return id, true
}
