package sim

import (
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// Step is what one step did, from the scheduling point where its task was chosen to the next. It and its slices belong
// to the engine: who is told of it copies what is kept.
type Step struct {
	Task    *Task
	At      time.Duration // virtual
	Moves   int           // how often time has moved before it
	Reads   []uint32      // ids of Vars and contexts; see Alone
	Writes  []uint32
	Blocked bool    // it ended in a wait for what it has read
	Opaque  bool    // it ended in a wait for something that is no Var
	Started []*Task // as its children
	Joined  []*Task // whose end it has seen
	Woken   []*Task // whose wait it has ended
	Ended   bool    // with it, its task
	Last    bool    // with it, the run: the scenario returned, or a task failed
}

// observer is told of every step when it has been taken.
type observer interface {
	Took(s *Step)
}

func (s *Step) add(x *seam.Effect) {
	s.Reads = append(s.Reads, x.Reads...)
	s.Writes = append(s.Writes, x.Writes...)
	s.Blocked = s.Blocked || x.Blocked
}

// openStep begins the record of a step.
func (e *engine) openStep(t *Task) {
	s := e.step
	if s == nil {
		return
	}
	clear(s.Started)
	clear(s.Joined)
	clear(s.Woken)
	*s = Step{
		Task: t, At: e.now, Moves: e.moves,
		Reads: s.Reads[:0], Writes: s.Writes[:0], Started: s.Started[:0], Joined: s.Joined[:0], Woken: s.Woken[:0],
	}
	if t.life != nil {
		s.Reads = append(s.Reads, fold(t.life.id)) // a crash writes it
	}
}

// closeStep hands the record to the observer.
func (e *engine) closeStep() {
	if e.step == nil || e.step.Task == nil {
		return
	}
	e.step.Last = e.finished()
	e.observer.Took(e.step)
	e.step.Task = nil
}

// touch records that the step used something of the engine's own, so that such steps are not taken to be independent.
func (e *engine) touch(id uint64) {
	if e.step != nil && !e.ending {
		e.step.Writes = append(e.step.Writes, fold(id))
	}
}

// fold makes an id of 32 bits. That two things may get one id is harmless: their steps count as dependent.
func fold(id uint64) uint32 { return max(uint32(id^id>>32), strangers+1) }

// strangers is the id of all Vars that were not born in a world whose ids must not depend on the schedule.
const strangers = 1

// NewID numbers what the running task makes.
func (e *engine) NewID() uint32 {
	t := e.cur
	if !e.alone || t == nil {
		e.lastID++
		return e.lastID + strangers
	}
	t.ids++
	id := (t.id + uint64(t.ids)) * pathFactor
	return fold(id ^ id>>31)
}

// FirstTouch numbers a Var that has no id.
func (e *engine) FirstTouch() uint32 {
	if e.alone {
		return strangers
	}
	return e.NewID()
}
