package sim

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// engine is one world. One task runs at a time, so nothing here is locked: hand-overs of the coroutines order all
// accesses.
type engine struct {
	backend
	face seam.World // what tasks see of the engine

	num      uint32
	seed     uint64
	schedule *rand.Rand // which task next, if there is no scheduler
	draws    *rand.Rand // chance of tasks that belong to no machine, if there is no scheduler
	chances  *rand.Rand // which faults come about, if there is no scheduler
	sched    Scheduler  // nil: by the seed
	chooser  Chooser    // nil: by the seed
	observer observer   // nil: nobody
	step     *Step      // being taken; nil without an observer
	taken    []taken    // with a scheduler
	chosen   []int      // with a chooser that has chosen
	alone    bool       // ids are the same in runs that differ
	root     *seam.Ctx

	tasks       []*Task // all that have not ended
	ready       []*Task // those that can run
	due         []*Task // observers whose waits have ended
	asides      int     // observers started
	fair        bool
	atEnd       []func() error // asked when the scenario has returned
	machines    map[string]*machine
	seen        map[string]int
	cur         *Task // the running one
	next        *Task // chosen by a task that has yielded
	last        *Task // the one that took the last step
	lastTask    int
	timers      timers
	asideTimers int   // of observers
	lastTime    int64 // number of the last timer
	watches     []*polled

	now      time.Duration // virtual, since the epoch
	moves    int           // of time
	instant  int           // steps taken since the last
	stepsMax int
	steps    int
	switches int
	lastID   uint32
	hash     hash
	text     *text              // nil unless recording
	writers  map[uint32][]*Task // of each Var, the last, newest first; nil unless recording
	fault    func(site string) error
	faults   []*fault

	inTx       bool  // a transaction body runs
	err        error // the first failure; ends the run
	mainDone   bool
	ending     bool // tasks are being unwound
	over       atomic.Bool
	guard      *guard // nil unless asked for
	bubble     bool   // of testing/synctest
	coroutines int
	watch
}

// epochSeconds is the start of virtual time: 2030-01-01 00:00:00 UTC.
const epochSeconds = 1893456000

// fail records the first failure.
func (e *engine) fail(err error) {
	if e.err == nil && !e.ending {
		e.err = err
	}
}

// check stands at the start of every call into the world.
func (e *engine) check() {
	switch {
	case e.over.Load():
		panic("sim: a context of a simulation that has ended")
	case !seam.OnTask():
		panic("sim: a simulated context was used on a goroutine that is not its task " +
			"(a go statement, context.AfterFunc, time.AfterFunc, or an iter.Pull body)")
	case e.ending, e.dead():
		e.unwound()
	case e.inTx:
		panic("sim: time, randomness, a task or a transaction inside a transaction body")
	}
}

func (e *engine) Num() uint32      { return e.num }
func (e *engine) InTx(on bool)     { e.inTx = on }
func (e *engine) clock() time.Time { return atTime(e.local(e.now)) }

func (e *engine) Now() time.Time {
	e.check()
	return e.clock()
}

func (e *engine) Rand() *rand.Rand {
	e.check()
	e.refuseBeside("draw")
	return e.random()
}

func (e *engine) Choose(label string, n int) int {
	e.check()
	e.refuseBeside("choose")
	k := e.choose(label, n)
	e.hash.mix(tagChoice, uint64(n)<<32|uint64(k))
	e.text.choice(label, k)
	return k
}

func (e *engine) Fault(site string) error {
	e.check()
	err := e.armed(site)
	if err != nil {
		e.hash.mix(tagFault, hashOf(site))
		e.text.fault(site, err)
	}
	return err
}

// Effect adds what the step did to the hash and the trace.
func (e *engine) Effect(x *seam.Effect) {
	switch {
	case e.ending, e.dead():
		return
	case e.cur != nil && e.cur.beside:
		e.besideEffect(e.cur, x)
		return
	}
	if e.step != nil {
		e.step.add(x)
	}
	e.hash.effect(x)
	e.text.effect(x)
	e.changed(x.Writes)
}

// polled is a context of the standard library's that must be polled.
type polled struct {
	err  func() error // the context's
	task *Task
	off  bool
}

func (e *engine) Watch(ctx context.Context, f func()) func() { return e.watchErr(ctx.Err, f) }

func (e *engine) watchErr(err func() error, f func()) func() {
	if e.alone {
		panic("sim: a context of the standard library's, whose end is no step: exploration needs env.WithCancel")
	}
	w := &polled{err: err, task: e.child(e.cur, "context", func() { e.outside(f) })}
	e.watches = append(e.watches, w)
	return func() { w.off = true }
}

// poll starts a task for every watched context that the last step has ended.
func (e *engine) poll() {
	if len(e.watches) == 0 {
		return
	}
	kept := e.watches[:0]
	for _, w := range e.watches {
		switch {
		case w.off:
		case w.err() != nil:
			w.task.own = true
			e.begin(w.task)
		default:
			kept = append(kept, w)
		}
	}
	clear(e.watches[len(kept):])
	e.watches = kept
}
