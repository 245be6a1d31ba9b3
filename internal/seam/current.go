package seam

import (
	"context"
	"sync"
	"sync/atomic"
)

// sims is the process-wide record of running simulations.
var sims struct {
	running   atomic.Int32
	nums      atomic.Uint32
	alive     sync.Map // number -> struct{}
	exploring atomic.Pointer[explorer]

	mu   sync.Mutex
	free sync.Cond // of mu: a simulation has ended
}

// explorer is the world that runs alone.
type explorer struct{ World }

type worldKey struct{}

// From finds the world of ctx; nil is production. It panics when ctx has no world but the goroutine is a task.
func From(ctx context.Context) World {
	if sims.running.Load() == 0 {
		return nil
	}
	return fromSlow(ctx)
}

//go:noinline
func fromSlow(ctx context.Context) World {
	w, _ := ctx.Value(worldKey{}).(World)
	if w == nil && OnTask() {
		panic("synod: a context without a world was used inside a simulated task (context.Background?)")
	}
	return w
}

// NextNum is a fresh number for a world.
func NextNum() uint32 { return sims.nums.Add(1) }

// Enter announces a running simulation; the result takes it back. It waits while a world explores.
func Enter(num uint32) (leave func()) {
	enter(num, func() bool { return sims.exploring.Load() == nil })
	return sync.OnceFunc(func() { exit(num) })
}

// EnterAlone is Enter for a world that explores: it waits until no other simulation runs, and others wait for it. Vars
// must have the same ids in runs that differ, so they get them at birth; only with one world in the process is it known
// in which one a Var was born.
func EnterAlone(w World) (leave func()) {
	enter(w.Num(), func() bool {
		free := sims.running.Load() == 0
		if free {
			sims.exploring.Store(&explorer{w})
		}
		return free
	})
	return sync.OnceFunc(func() {
		sims.exploring.Store(nil)
		exit(w.Num())
	})
}

func enter(num uint32, may func() bool) {
	sims.mu.Lock()
	defer sims.mu.Unlock()
	sims.free.L = &sims.mu
	for !may() {
		sims.free.Wait()
	}
	sims.alive.Store(num, struct{}{})
	sims.running.Add(1)
}

func exit(num uint32) {
	sims.mu.Lock()
	defer sims.mu.Unlock()
	sims.running.Add(-1)
	sims.alive.Delete(num)
	sims.free.L = &sims.mu
	sims.free.Broadcast()
}

// Running reports whether any simulation runs in this process.
func Running() bool { return sims.running.Load() != 0 }

// Exploring is the world that explores, if the caller is one of its tasks.
func Exploring() World {
	if x := sims.exploring.Load(); x != nil && OnTask() {
		return x.World
	}
	return nil
}

// Alive reports whether the world with this number still runs.
func Alive(num uint32) bool {
	_, ok := sims.alive.Load(num)
	return ok
}
