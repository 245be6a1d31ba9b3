package sim

import (
	"fmt"
	"math/rand/v2"
)

// Scheduler decides whose turn it is.
type Scheduler interface {
	// Pick gives the place in ready of the task that takes the next step. last is the place of the task that took the
	// one before, or -1 if it cannot go on. A negative result ends the run with ErrCut.
	Pick(ready []*Task, last int) int
}

// Chooser decides what env.Choose gives: a number below n, or a negative one for what the seed says.
type Chooser interface {
	Choose(t *Task, label string, n int) int
}

// With puts s in the place of the seed's scheduling; Report.Schedule is then what it decided. If s is a Chooser too, it
// decides choices, and if it has a method Took(*Step), that is called after each step.
func With(s Scheduler) Option {
	return func(e *engine) {
		e.sched = s
		if c, ok := s.(Chooser); ok {
			e.chooser = c
		}
		if o, ok := s.(observer); ok {
			e.observer, e.step = o, new(Step)
		}
	}
}

// Alone makes ids of Vars the same in runs whose schedules differ: an id follows from the task that made the Var and how
// many it had made. All Vars that are not made by NewVar on a task of the run share one id. Such a run waits until no
// other simulation goes on in the process, and others wait for it.
func Alone() Option { return func(e *engine) { e.alone = true } }

// random is the source of chance. Under a scheduler of the caller's each task has its own: what other tasks do, or do
// not, leaves it alone.
func (e *engine) random() *rand.Rand {
	if e.sched == nil {
		return e.draws
	}
	t := e.cur
	if t.rand == nil {
		t.rand = rand.New(rand.NewPCG(e.seed, 2^t.id^pathStart))
	}
	return t.rand
}

func (e *engine) choose(label string, n int) int {
	k := -1
	if e.chooser != nil {
		k = e.chooser.Choose(e.cur, label, n)
	}
	switch {
	case k < 0:
		return e.random().IntN(n)
	case k >= n:
		panic(fmt.Sprintf("sim: choice %s is %d of %d", label, k, n))
	}
	e.chosen = append(e.chosen, k)
	return k
}
