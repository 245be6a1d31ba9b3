package sim

import (
	"cmp"
	"fmt"
	"runtime/debug"
	"slices"
)

// drive runs the world to its end and then unwinds what is left. A coroutine passes runtime.Goexit on to whoever
// resumed it, so the loop has a goroutine of its own, replaced when a task has taken it along.
func (e *engine) drive(done chan<- any) {
	normal := false
	defer func() {
		if normal {
			done <- nil
			return
		}
		if r := recover(); r != nil {
			done <- fmt.Sprintf("sim: internal error: %v\n%s", r, debug.Stack())
			return
		}
		go e.drive(done)
	}()
	e.loop()
	e.asked()
	e.leaked()
	e.unwind()
	normal = true
}

func (e *engine) loop() {
	var last *Task
	for !e.ending {
		t := e.next
		e.next = nil
		if t == nil {
			if t = e.pick(); t == nil {
				return
			}
		}
		if t != last {
			e.switches++
		}
		last = t
		e.turn(t)
	}
}

// leaked makes tasks that outlive the scenario an error.
func (e *engine) leaked() {
	if e.ending || e.err != nil {
		return
	}
	var left []*Task
	for _, t := range e.tasks {
		if !t.own && !(t.life != nil && t.life.dead) {
			left = append(left, t)
		}
	}
	if len(left) == 0 {
		return
	}
	slices.SortFunc(left, func(a, b *Task) int { return cmp.Compare(a.age, b.age) })
	err := new(LeakError)
	for _, t := range left {
		err.Tasks = append(err.Tasks, t.name)
	}
	e.fail(err)
}

// unwind ends all tasks, youngest first. Coroutines that are merely dropped would never be collected.
func (e *engine) unwind() {
	e.ending = true
	for len(e.tasks) > 0 {
		youngest := e.tasks[0]
		for _, t := range e.tasks {
			if t.age > youngest.age {
				youngest = t
			}
		}
		e.kill(youngest)
	}
}
