package seam

import (
	"context"
	"sync"
	"sync/atomic"
)

// sims is the process-wide record of running simulations.
var sims struct {
	running atomic.Int32
	nums    atomic.Uint32
	alive   sync.Map // number -> struct{}
}

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

// Enter announces a running simulation; the result takes it back.
func Enter(num uint32) (leave func()) {
	sims.alive.Store(num, struct{}{})
	sims.running.Add(1)
	return sync.OnceFunc(func() {
		sims.running.Add(-1)
		sims.alive.Delete(num)
	})
}

// Running reports whether any simulation runs in this process.
func Running() bool { return sims.running.Load() != 0 }

// Alive reports whether the world with this number still runs.
func Alive(num uint32) bool {
	_, ok := sims.alive.Load(num)
	return ok
}
