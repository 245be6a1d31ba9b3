package stm

import (
	"sync"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

// escalateAfter lost runs a transaction becomes the serial one: there is one at a time, it reserves every Var it
// touches at the touch, and so its next run cannot lose. Readers are not disturbed by a reservation; committers that
// meet one let go of their locks and wait for the serial transaction to end. All others keep running. Transactions
// that only read are pinned instead; see kept.go.
const escalateAfter = 16

// serialTurn is held by the serial transaction.
var serialTurn sync.Mutex

// escalate makes tx the serial transaction, when its turn comes. The goroutine carries the seam's mark meanwhile:
// a transaction started inside the body would wait for its own surrounding for ever, and is told so.
func (tx *Tx) escalate() {
	takeTurn()
	tx.normal = serial
	tx.marked = seam.OnTask() // by somebody else: it stays
	seam.MarkTask()
}

// waitSerial waits until the serial transaction of the moment has ended.
func waitSerial() {
	takeTurn()
	serialTurn.Unlock()
}

func takeTurn() {
	if serialTurn.TryLock() {
		return
	}
	if seam.OnTask() {
		panic("stm: a transaction inside the body of another")
	}
	serialTurn.Lock()
}

// reserve reads c for the serial transaction. l is its lock word, without lockBit.
func (tx *Tx) reserve(c *core, l uint64) (w uint64, p unsafe.Pointer, ok bool) {
	if l&serialBit == 0 {
		if !c.lock.CompareAndSwap(l, l|serialBit) {
			return 0, nil, false
		}
		tx.log(c, l)
	}
	w, p = c.value()
	return w, p, true
}

// endSerial gives up the reservations and the turn, whatever ended the run. What was committed carries none any more.
func (tx *Tx) endSerial() {
	for i := range tx.rs {
		r := &tx.rs[i]
		for {
			l := r.c.lock.Load()
			if (l^r.l)&^waitBit != serialBit || r.c.lock.CompareAndSwap(l, l&^serialBit) {
				break
			}
		}
	}
	tx.normal = running
	if !tx.marked {
		seam.UnmarkTask()
	}
	serialTurn.Unlock()
}
