package stm

import (
	"cmp"
	"slices"
)

// commit publishes the write set at one new version, or reports a conflict. A transaction that has only read is over:
// what it has read was of one moment throughout.
//
// Most transactions meet nobody, and write in the order in which they have read. For them one pass locks, in that order,
// and checks each Var that was also read while at it. It never waits, so it needs no common order of locks.
func (tx *Tx) commit() bool {
	newest, waits, checked := uint64(0), uint64(0), 0
	for i := range tx.ws {
		e := &tx.ws[i]
		l := e.c.lock.Load()
		if l >= serialBit || !e.c.lock.CompareAndSwap(l, l|lockBit) {
			return tx.commitSlowly(i)
		}
		e.old = l
		newest, waits = max(newest, l), waits|l
		if checked < len(tx.rs) && tx.rs[checked].c == e.c && (tx.rs[checked].l^l)&^waitBit == 0 {
			checked++
		}
	}
	if len(tx.ws) == 0 {
		if tx.normal != running {
			tx.endUnusual()
		}
		return true
	}
	g := clock.Load()
	if waits&waitBit != 0 || checked < len(tx.rs) || g&keepBit != 0 || newest > g+(ahead-2*tick) || tx.normal != running {
		return tx.publish(newest, waits, checked)
	}
	version := max(g, newest&^waitBit) + tick // the least that publish would do
	for i := range tx.ws {
		e := &tx.ws[i]
		e.c.publish(e.w, e.p)
		e.c.lock.Store(version)
		e.p = nil
		e.c = nil
	}
	tx.ws, tx.bloom = tx.ws[:0], 0
	return true
}

// commitSlowly is commit for who has met somebody after n locks: it gives them up, and takes all in the order of their
// addresses, waiting for each.
func (tx *Tx) commitSlowly(n int) bool {
	tx.unlock(n)
	tx.sortLocks()
	tx.lockAll()
	newest, waits, checked := uint64(0), uint64(0), 0
	for i := range tx.ws {
		e := &tx.ws[i]
		newest, waits = max(newest, e.old), waits|e.old
		if checked < len(tx.rs) && tx.rs[checked].c == e.c && (tx.rs[checked].l^e.old)&^waitBit == 0 {
			checked++
		}
	}
	return tx.publish(newest, waits, checked)
}

// publish ends a commit that has all its locks: newest is the greatest version under them, waits has the waitBit if one
// of them has it, and so many entries of rs are checked.
func (tx *Tx) publish(newest, waits uint64, checked int) bool {
	version, keep := next(newest &^ waitBit)
	if checked < len(tx.rs) && tx.normal != serial && !tx.validLocked(checked) {
		tx.unlock(len(tx.ws))
		tx.contended()
		return false
	}
	if keep {
		tx.keepReplaced()
	}
	for i := range tx.ws {
		e := &tx.ws[i]
		e.c.publish(e.w, e.p)
		e.c.lock.Store(version)
	}
	if tx.normal != running {
		tx.endUnusual()
	}
	if waits&waitBit != 0 {
		tx.wakeAll(version)
	}
	return true
}

// wakeAll wakes who waits for what was written: Vars in the order in which the body first wrote them, waiters of a Var
// in the order in which they came, each once.
func (tx *Tx) wakeAll(version uint64) {
	for i := range tx.ws {
		if e := &tx.ws[i]; e.old&waitBit != 0 {
			e.c.extra.Load().wake(version)
		}
	}
}

// sortLocks fills order: by address, so that two committers cannot wait for each other. The write set itself keeps
// program order.
func (tx *Tx) sortLocks() {
	o := tx.order[:0]
	if len(tx.ws) > 24 {
		for i := range tx.ws {
			o = append(o, uint32(i))
		}
		slices.SortFunc(o, func(a, b uint32) int { return cmp.Compare(address(tx.ws[a].c), address(tx.ws[b].c)) })
		tx.order = o
		return
	}
	for i := range tx.ws {
		at, j := address(tx.ws[i].c), len(o)
		for o = append(o, 0); j > 0 && at < address(tx.ws[o[j-1]].c); j-- {
			o[j] = o[j-1]
		}
		o[j] = uint32(i)
	}
	tx.order = o
}

func (tx *Tx) lockAll() {
	for n := 0; n < len(tx.order); {
		e := &tx.ws[tx.order[n]]
		if l := e.c.lock.Load(); l < serialBit && e.c.lock.CompareAndSwap(l, l|lockBit) {
			e.old = l
			n++
			continue
		}
		if tx.lock(e) {
			n++
			continue
		}
		for _, i := range tx.order[:n] { // never wait for the serial transaction while holding what it may want
			tx.ws[i].c.lock.Store(tx.ws[i].old)
		}
		waitSerial()
		n = 0
	}
}

// lock takes the lock of e's Var. False means that the serial transaction has reserved it.
func (tx *Tx) lock(e *write) bool {
	for spin := 0; ; spin++ {
		l := e.c.lock.Load()
		switch {
		case l&lockBit != 0:
			pause(spin)
		case l&serialBit != 0 && tx.normal != serial:
			return false
		case e.c.lock.CompareAndSwap(l, l|lockBit):
			e.old = l &^ serialBit
			return true
		}
	}
}

// unlock lets go of the first n Vars of the write set, unchanged.
func (tx *Tx) unlock(n int) {
	for i := range tx.ws[:n] {
		tx.ws[i].c.lock.Store(tx.ws[i].old)
	}
}
