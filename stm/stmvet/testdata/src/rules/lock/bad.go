package lock

import (
	"sync"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sync/singleflight"

	"kit/stm"
)

type guarded struct {
	sync.Mutex
	rw   sync.RWMutex
	once sync.Once
	wg   sync.WaitGroup
	cond *sync.Cond
	v    stm.Var[int]
}

func (g *guarded) bad(tx *stm.Tx) int {
	g.Lock()             // want `Mutex.Lock in a transaction: keep the state in a Var, and wait with tx.Check \[lock\]`
	defer g.Unlock()     // want `Mutex.Unlock`
	g.rw.RLock()         // want `RWMutex.RLock`
	g.once.Do(func() {}) // want `Once.Do`
	g.wg.Add(1)          // want `WaitGroup.Add`
	g.wg.Wait()          // want `WaitGroup.Wait`
	g.cond.Broadcast()   // want `Cond.Broadcast`
	var l sync.Locker = g
	l.Lock() // want `Locker.Lock`
	return g.v.Get(tx)
}

func badElsewhere(tx *stm.Tx, w *semaphore.Weighted, f *singleflight.Group, g *errgroup.Group) {
	w.TryAcquire(1) // want `Weighted.TryAcquire`
	f.Do("x", nil)  // want `Group.Do`
	_ = g.Wait()    // want `Group.Wait`
}
