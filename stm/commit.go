package stm

import (
	"cmp"
	"runtime"
	"slices"
)

// commit publishes the write set at one new version, or reports a conflict. A transaction that has only read is over:
// its snapshot was consistent throughout.
func (tx *Tx) commit() bool {
	if len(tx.ws) == 0 {
		if tx.serial {
			tx.endSerial()
		}
		return true
	}
	tx.sortLocks()
	tx.lockAll()
	wv := clock.Add(tick)
	if wv != tx.rv+tick && !tx.serial {
		tx.locking = true
		ok := tx.valid()
		tx.locking = false
		if !ok {
			tx.unlock(len(tx.ws))
			return false
		}
	}
	for i := range tx.ws {
		e := &tx.ws[i]
		e.c.publish(e.w, e.p)
	}
	for i := range tx.ws {
		tx.ws[i].c.lock.Store(wv)
	}
	if tx.serial {
		tx.endSerial()
	}
	tx.wakeAll()
	return true
}

// wakeAll wakes who waits for what was written: Vars in the order in which the body first wrote them, waiters of a Var
// in the order in which they came, each once.
func (tx *Tx) wakeAll() {
	for i := range tx.ws {
		if x := tx.ws[i].c.extra.Load(); x != nil && x.waiting.Load() > 0 {
			x.wake()
		}
	}
}

// sortLocks fills order. Locks are taken by address, so that two committers cannot wait for each other; the write set
// itself keeps program order, which is often the order of addresses already.
func (tx *Tx) sortLocks() {
	o, sorted := tx.order[:0], true
	for i := range tx.ws {
		o = append(o, uint32(i))
		sorted = sorted && (i == 0 || address(tx.ws[i-1].c) < address(tx.ws[i].c))
	}
	tx.order = o
	if sorted {
		return
	}
	at := func(i uint32) uintptr { return address(tx.ws[i].c) }
	if len(o) > 24 {
		slices.SortFunc(o, func(a, b uint32) int { return cmp.Compare(at(a), at(b)) })
		return
	}
	for i := 1; i < len(o); i++ {
		for j := i; j > 0 && at(o[j]) < at(o[j-1]); j-- {
			o[j], o[j-1] = o[j-1], o[j]
		}
	}
}

func (tx *Tx) lockAll() {
	for n := 0; n < len(tx.order); {
		if e := &tx.ws[tx.order[n]]; tx.lock(e) {
			n++
			continue
		}
		tx.unlock(n) // never wait for the serial transaction while holding what it may want
		waitSerial()
		n = 0
	}
}

// lock takes the lock of e's Var. False means that the serial transaction has reserved it.
func (tx *Tx) lock(e *write) bool {
	for spin := 0; ; spin++ {
		l := e.c.lock.Load()
		switch {
		case l&flags == 0:
			if e.c.lock.CompareAndSwap(l, l|lockBit) {
				e.old = l
				return true
			}
		case l&lockBit == 0 && tx.serial: // our own reservation: nobody else changes the word
			e.old = l &^ serialBit
			e.c.lock.Store(l | lockBit)
			return true
		case l&lockBit == 0:
			return false
		case spin > 30:
			runtime.Gosched()
		}
	}
}

func (tx *Tx) unlock(n int) {
	for _, i := range tx.order[:n] {
		tx.ws[i].c.lock.Store(tx.ws[i].old)
	}
}
