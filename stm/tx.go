package stm

import (
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

// Tx is a running transaction. It is valid inside the function it was given to, on the goroutine that runs it.
type Tx struct {
	fast    uint64 // versions below it Get takes at once: first any, then those of the snapshot, then none once there are writes
	rs      []read // beyond its length it is clear, as ws is
	snap    uint64 // end of the snapshot: versions below it belong to it; 0 in a serial or special run
	bloom   uint64 // of the Vars in ws
	room    int    // Set appends below it without a question; 0 when there is more to be asked
	mode    mode
	normal  mode // what mode is while the run is alive
	end     outcome
	used    bool          // there is more to clean up than rs and ws
	wrote   bool          // a pinned run wanted to write
	ws      []write       // in program order, which is the wake order
	most    int           // so many writes need no question in an ordinary run: there is room, and no index
	busy    atomic.Uint32 // of a Tx that has a home: 1 while somebody has it
	settled bool          // it has a home
	extra   *extraTx      // of a transaction in debug mode, or in a model; it is never recycled
	hidden  uint64        // the snapshot of a doomed run
	pinned  uint64        // the version that a pinned run reads
	index   index         // of ws, if it is large
	undo    []undone
	level   int    // entries of ws below it belong to an enclosing branch
	number  uint64 // of all there are; see Lane
	tries   int    // runs lost to conflicts since the last wait
	after   []func()
	now     time.Time
	alarm   time.Time // earliest WakeAt
	loser   *core     // the Var because of which the run was lost
	marked  bool      // the goroutine had the seam's mark before this run became serial
	world   seam.World
	effect  seam.Effect
	order   []uint32 // lock order: indices into ws
	rsBuf   [readsInside]read
	wsBuf   [writesInside]write
	ordBuf  [16]uint32
}

// As much has room inside a Tx.
const (
	readsInside  = 16
	writesInside = 8
)

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

// mode says what Get and Set may do.
type mode uint8

const (
	dead    mode = iota // finished, or doomed to be undone: nothing
	running             // everything
	serial              // everything, and reserve what is touched; see serial.go
	pinned              // read old values; see kept.go
	special             // Get and Set ask extra first
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

// begin starts a run of a Tx at rest.
func (tx *Tx) begin() {
	tx.mode = running
	tx.snap = clock.Load()&^keepBit + tick
	tx.fast, tx.room = serialBit, tx.most
}

// restart begins another run of the same transaction.
func (tx *Tx) restart() {
	clear(tx.rs)
	clear(tx.ws)
	clear(tx.undo)
	clear(tx.after)
	tx.rs, tx.ws, tx.undo, tx.after = tx.rs[:0], tx.ws[:0], tx.undo[:0], tx.after[:0]
	tx.bloom, tx.level, tx.end, tx.loser = 0, 0, finished, nil
	tx.now, tx.alarm = time.Time{}, time.Time{}
	tx.begin()
	switch tx.mode = tx.normal; tx.mode {
	case serial:
		tx.fast, tx.snap, tx.room = 0, 0, 0
	case pinned: // what has not changed since is taken at once
		tx.snap = tx.pinned + tick
		tx.fast, tx.room = tx.snap, 0
	}
}

// doom ends the run by unwinding it. It stays doomed if user code recovers.
func (tx *Tx) doom(o outcome) {
	tx.doomQuietly(o)
	panic(unwinding{})
}

// doomQuietly dooms the run without unwinding it: the caller returns ErrRetry. A body that ignores it unwinds at its
// next use of tx, or retries when it returns.
func (tx *Tx) doomQuietly(o outcome) {
	tx.end, tx.hidden = o, tx.snap
	tx.kill()
}

// kill makes Get, Set and everything else refuse.
func (tx *Tx) kill() { tx.mode, tx.fast, tx.snap, tx.room, tx.used = dead, 0, 0, 0, true }

func (tx *Tx) revive() {
	tx.end, tx.mode = finished, tx.normal
	switch {
	case tx.extra != nil:
		tx.mode = special
	case tx.mode == running:
		tx.snap, tx.room = max(tx.snap, tx.hidden), tx.most
		if len(tx.ws) == 0 {
			tx.fast = tx.snap
		}
	}
}

// misused is where every method of a dead transaction ends.
func (tx *Tx) misused() {
	if tx.end != finished {
		panic(unwinding{})
	}
	panic(tx.misuse())
}

func (tx *Tx) live() {
	if tx.mode == dead {
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
	tx.used = true
	tx.after = append(tx.after, f)
}

// Now is the world's time at this run. It is not waited for.
func (tx *Tx) Now() time.Time {
	tx.live()
	if tx.now.IsZero() {
		tx.used = true
		tx.now = seam.Now(nil) // a simulation has set it before the run
	}
	return tx.now
}

// Lane is a number for spreading writers over the parts of one thing: the same throughout a run, usually another one for
// transactions that run at once, another after a lost run. It means nothing else. In a simulation and in a model it is
// always 0.
func (tx *Tx) Lane() uint64 {
	tx.live()
	if tx.world != nil || tx.mode == special {
		return 0
	}
	return tx.number + uint64(tx.tries)
}

// WakeAt makes a wait that this run may end in, in whatever branch, also end at the instant at. Package env builds
// Reached on it.
func (tx *Tx) WakeAt(at time.Time) {
	tx.live()
	if tx.alarm.IsZero() || at.Before(tx.alarm) {
		tx.used = true
		tx.alarm = at
	}
}
