package stm

import (
	"sync"
	"time"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

// Tx is a running transaction. It is valid inside the function it was given to, on the goroutine that runs it.
type Tx struct {
	mode    mode
	end     outcome
	locking bool   // valid may meet locks of our own
	marked  bool   // the goroutine had the seam's mark before this run became serial
	serial  bool   // this run reserves what it touches; see serial.go
	rv      uint64 // the snapshot: nothing newer is seen
	bloom   uint64 // of the Vars in ws
	rs      []read
	ws      []write // in program order, which is the wake order
	byVar   map[*core]int32
	undo    []undone
	level   int  // entries of ws below it belong to an enclosing branch
	stale   bool // buffers hold more than the last run
	tries   int  // runs lost to conflicts since the last wait
	after   []func()
	now     time.Time
	alarm   time.Time // earliest WakeAt
	world   seam.World
	effect  seam.Effect
	wait    waiter
	nodes   []node
	order   []uint32 // lock order: indices into ws
	rsBuf   [16]read
	wsBuf   [8]write
	ordBuf  [16]uint32
}

// read is one entry of the read set: the Var and the lock word it had.
type read struct {
	c *core
	l uint64
}

// write is one entry of the write set.
type write struct {
	c   *core
	w   uint64
	p   unsafe.Pointer
	old uint64 // the lock word before commit
}

// undone is a value that a branch has overwritten in an entry of its enclosing branch.
type undone struct {
	i int32
	w uint64
	p unsafe.Pointer
}

// mode says whether Get and Set may touch the transaction at all. They test nothing else.
type mode uint8

const (
	dead    mode = iota // finished, or doomed to be undone
	running mode = iota
)

// outcome is how a run, or the branch being unwound, ends.
type outcome uint8

const (
	finished outcome = iota
	aborted          // lost against another transaction
	retried          // Retry
)

// unwinding is the panic value of Retry and of aborts. The engine recovers it, and only while tx.end says so, so that a
// user's panic keeps its stack and a user's recover cannot make a doomed run commit.
type unwinding struct{}

const misuse = "stm: Tx used outside its function"

var pool = sync.Pool{New: func() any {
	tx := new(Tx)
	tx.rs, tx.ws, tx.order = tx.rsBuf[:0], tx.wsBuf[:0], tx.ordBuf[:0]
	return tx
}}

func (tx *Tx) begin() {
	tx.rs, tx.ws, tx.undo, tx.after = tx.rs[:0], tx.ws[:0], tx.undo[:0], tx.after[:0]
	tx.bloom, tx.level = 0, 0
	tx.end, tx.mode = finished, running
	if len(tx.byVar) > 0 {
		clear(tx.byVar)
	}
	if tx.timed() {
		tx.now, tx.alarm = time.Time{}, time.Time{}
	}
	tx.rv = clock.Load()
}

func (tx *Tx) timed() bool { return !tx.now.IsZero() || !tx.alarm.IsZero() }

// release gives tx back to the pool, holding nothing of the user's.
func (tx *Tx) release() {
	tx.mode, tx.end, tx.world, tx.tries = dead, finished, nil, 0
	for i := range tx.rs {
		tx.rs[i].c = nil
	}
	for i := range tx.ws {
		tx.ws[i].c, tx.ws[i].p = nil, nil
	}
	if tx.stale || len(tx.ws) > indexAbove {
		tx.drop()
	}
	if cap(tx.undo)+cap(tx.after) > 0 {
		clear(tx.undo[:cap(tx.undo)])
		clear(tx.after[:cap(tx.after)])
	}
	pool.Put(tx)
}

// drop forgets what earlier or large runs have left behind.
func (tx *Tx) drop() {
	const keep = 1024
	tx.stale = false
	clear(tx.byVar)
	clear(tx.rs[:cap(tx.rs)])
	clear(tx.ws[:cap(tx.ws)])
	if cap(tx.rs) > keep {
		tx.rs = tx.rsBuf[:0]
	}
	if cap(tx.ws) > keep {
		tx.ws, tx.order, tx.byVar = tx.wsBuf[:0], tx.ordBuf[:0], nil
	}
}

// doom ends the run by unwinding it. It stays doomed if user code recovers.
func (tx *Tx) doom(o outcome) {
	tx.doomQuietly(o)
	panic(unwinding{})
}

// doomQuietly dooms the run without unwinding it: the caller returns ErrRetry. A body that ignores it unwinds at its
// next use of tx, or retries when it returns.
func (tx *Tx) doomQuietly(o outcome) { tx.end, tx.mode = o, dead }

func (tx *Tx) revive() { tx.end, tx.mode = finished, running }

// misused is where every method of a dead transaction ends.
func (tx *Tx) misused() {
	if tx.end != finished {
		panic(unwinding{})
	}
	panic(misuse)
}

func (tx *Tx) live() {
	if tx.mode != running {
		tx.misused()
	}
}

// Retry undoes the run, waits until something it has read changes (or its WakeAt comes) and runs it again. Inside
// OrElse or Select it ends the alternative instead.
func (tx *Tx) Retry() {
	tx.live()
	tx.doom(retried)
}

// Check is Retry unless cond.
func (tx *Tx) Check(cond bool) {
	if !cond {
		tx.Retry()
	}
}

// Retry is Tx.Retry as an expression: return stm.Retry[int](tx).
func Retry[T any](tx *Tx) T {
	tx.Retry()
	panic("unreachable")
}

// OnCommit runs f once tx has committed, on its goroutine, after its effects can be seen. Functions of two transactions
// run in no particular order, so f must not send. A branch that is undone takes its functions with it.
func (tx *Tx) OnCommit(f func()) {
	tx.live()
	tx.after = append(tx.after, f)
}

// Now is the world's time at this run. It is not waited for.
func (tx *Tx) Now() time.Time {
	tx.live()
	if tx.now.IsZero() {
		tx.now = seam.Now(nil) // a simulation has set it before the run
	}
	return tx.now
}

// WakeAt makes a wait that this run may end in, in whatever branch, also end at the instant at. Package env builds
// Reached on it.
func (tx *Tx) WakeAt(at time.Time) {
	tx.live()
	if tx.alarm.IsZero() || at.Before(tx.alarm) {
		tx.alarm = at
	}
}
