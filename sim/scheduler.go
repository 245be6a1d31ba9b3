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

// The streams of chance that follow from a seed. What is drawn from one leaves the others alone.
const (
	streamSchedule = 1 + iota
	streamWorkload
	streamFaults
	streamNode // and the hash of its name
)

// random is the source of chance: of the task's machine, or of the workload, which is all tasks outside of machines. Under a scheduler of
// the caller's each task has its own: what other tasks do, or do not, leaves it alone.
func (e *engine) random() *rand.Rand {
	t := e.cur
	switch {
	case e.sched == nil && t.life != nil:
		return t.life.rand
	case e.sched == nil:
		return e.draws
	case t.rand == nil:
		t.rand = e.streamOf(t, streamWorkload)
	}
	return t.rand
}

// chance is the source of faults.
func (e *engine) chance() *rand.Rand {
	t := e.cur
	switch {
	case e.sched == nil:
		return e.chances
	case t.chance == nil:
		t.chance = e.streamOf(t, streamFaults)
	}
	return t.chance
}

func (e *engine) streamOf(t *Task, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(e.seed, stream^t.id^pathStart))
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
