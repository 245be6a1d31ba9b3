package sim

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/synodkit/synod/internal/seam"
)

// Report is what a run has shown.
type Report struct {
	Seed     uint64
	Hash     uint64         // of every step: task, time, choice and effect
	Steps    int            // scheduling decisions
	Switches int            // steps that ran another task than the one before
	Elapsed  time.Duration  // virtual
	Err      error          // the scenario's error, or *DeadlockError, *PanicError, ErrGoexit, ErrEndless, *LeakError
	Trace    []string       // one line a step, with Record
	Schedule Schedule       // with With
	Faults   map[string]int // how often each fault that was armed, as by Fail, came about
	Seen     map[string]int // how often what was looked for, as by property.Sometimes, was seen
}

// Option changes how a run is made.
type Option func(*engine)

// Record keeps the steps as text in Report.Trace, and for each Var who changed it last, which wait graphs show.
func Record() Option {
	return func(e *engine) {
		e.text = &text{labels: map[uint32]string{}}
		e.writers = map[uint32][]*Task{}
	}
}

// Races lets the race detector see the tasks of a run as it would see them in production: a race between two of them is found under every
// schedule in which it is one, although they never run at once. Without -race it changes nothing; with it, steps cost some ten times as much.
// Hashes are the same.
func Races() Option { return func(e *engine) { e.races = true } }

// StepsMax limits the steps of one instant of virtual time, by default a million. A run that reaches it ends with
// ErrEndless.
func StepsMax(n int) Option { return func(e *engine) { e.stepsMax = n } }

// Run runs scenario in a world of its own and returns when every task of it has ended. The same seed and the same
// program give the same Report, whatever else the process does. The run ends when scenario returns or a task fails.
func Run(seed uint64, scenario func(ctx context.Context) error, opts ...Option) *Report {
	if seam.Running() && seam.OnTask() {
		panic("sim: Run inside a simulated task")
	}
	e := &engine{
		num:      seam.NextNum(),
		seed:     seed,
		schedule: rand.New(rand.NewPCG(seed, streamSchedule)),
		draws:    rand.New(rand.NewPCG(seed, streamWorkload)),
		chances:  rand.New(rand.NewPCG(seed, streamFaults)),
		hash:     hashStart,
		stepsMax: 1_000_000,
		watch:    watch{limit: stuckAfter},
	}
	for _, o := range opts {
		o(e)
	}
	defer e.open()()
	defer e.enter()()
	e.root = seam.Root(e.face)
	var err error
	program := ordered(func() { err = scenario(e.root) })
	e.begin(e.child(nil, "main", func() {
		e.outside(program)
		e.fail(err)
		e.mainDone = true
	}))
	done := make(chan any, 1)
	go e.drive(done)
	if stuck := e.wait(done); stuck != nil {
		e.over.Store(true)
		return &Report{Seed: seed, Err: stuck}
	}
	e.over.Store(true)
	e.root.End(errOver)
	r := &Report{
		Seed: seed, Hash: uint64(e.hash), Steps: e.steps, Switches: e.switches, Elapsed: e.now, Err: e.err,
		Faults: e.fired(), Seen: e.seen,
	}
	if e.sched != nil {
		r.Schedule = e.recorded()
	}
	if e.text != nil {
		r.Trace = e.text.named()
	}
	return r
}

func (e *engine) enter() (leave func()) {
	if e.alone {
		return seam.EnterAlone(e.face)
	}
	return seam.Enter(e.num)
}

var errOver = errors.New("sim: the simulation has ended")
