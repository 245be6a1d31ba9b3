package stm

import "unsafe"

// looseReads is how many Vars a run may have read and still take a version beyond the clock by looking at all of them
// again, instead of advancing the clock. So small transactions on Vars that only they use share no memory at all.
const looseReads = 2

// read is TL2's read with LSA's extension: the value is taken between two equal looks at the lock word, and a version
// newer than the snapshot either moves the whole snapshot forward or ends the run. So a body never sees two moments.
func (tx *Tx) read(c *core) (uint64, unsafe.Pointer) {
	if tx.bloom&bloomBit(c) != 0 {
		if e := tx.written(c); e != nil && tx.mode != dead {
			return e.w, e.p
		}
	}
	for spin := 0; ; spin++ {
		l := c.lock.Load()
		if l >= serialBit || tx.mode != running {
			if w, p, ok := tx.readUnusual(c, l, spin); ok {
				return w, p
			}
			continue
		}
		w, p := c.value()
		n := len(tx.rs)
		if c.lock.Load() != l || l >= tx.snap && n > 0 && (n > 1 || !tx.rs[0].valid()) && !tx.newer(l) {
			continue
		}
		tx.log(c, l)
		return w, p
	}
}

// readUnusual is read when c carries a flag or when the run is not an ordinary one. If not ok, look again.
//
//go:noinline
func (tx *Tx) readUnusual(c *core, l uint64, spin int) (w uint64, p unsafe.Pointer, ok bool) {
	switch {
	case tx.mode == dead:
		tx.misused()
	case l&lockBit != 0:
		pause(spin)
		return 0, nil, false
	}
	tx.used = true
	if tx.normal == serial {
		return tx.reserve(c, l)
	}
	w, p = c.value()
	if c.lock.Load() != l {
		return 0, nil, false
	}
	l &^= serialBit
	switch {
	case tx.normal == pinned:
		w, p, l = tx.readKept(c, l, w, p)
	case tx.mode == special: // has no snapshot
		tx.mustBeValid()
	case l >= tx.snap && !tx.newer(l):
		return 0, nil, false
	}
	tx.log(c, l)
	return w, p, true
}

// log enters a Var in the read set.
func (tx *Tx) log(c *core, l uint64) {
	if tx.fast != 0 {
		tx.fast = tx.snap
	}
	n := len(tx.rs)
	tx.rs = append(tx.rs, read{c, l})
	if n == readsInside {
		clear(tx.rsBuf[:])
	}
}

// newer deals with a version l beyond the snapshot: nothing read before may have changed, or the run is lost.
//
// After few reads the value is taken as it is (ok): it and all that was read hold now. The snapshot need not move,
// because what it has, it still has now: a commit with a version below its end had its locks when the snapshot was
// taken, so a Var that is free and has such a version has had that value since, and a later read of it belongs to the
// same moment. Otherwise the snapshot moves to now, and the Var must be read again.
func (tx *Tx) newer(l uint64) (ok bool) {
	n := len(tx.rs)
	var g uint64
	if n >= looseReads {
		g = reach(l &^ waitBit) // before the look: see clock.go
	}
	tx.mustBeValid()
	if n < looseReads {
		return true
	}
	tx.snap = g&^keepBit + tick
	if len(tx.ws) == 0 && tx.mode == running {
		tx.fast = tx.snap
	}
	return false
}

// mustBeValid ends the run if something read has changed.
func (tx *Tx) mustBeValid() {
	if !tx.valid() {
		tx.contended()
		tx.doom(aborted)
	}
}

// valid reports whether everything read still has the version it had.
func (tx *Tx) valid() bool {
	for i := range tx.rs {
		if r := &tx.rs[i]; !r.valid() {
			tx.loser = r.c
			return false
		}
	}
	return true
}

func (r *read) valid() bool { return (r.c.lock.Load()^r.l)&^(waitBit|serialBit) == 0 }

// validLocked is valid in a commit, from entry from on: its own locks do not count.
func (tx *Tx) validLocked(from int) bool {
	hint := 0
	for i := from; i < len(tx.rs); i++ {
		r := &tx.rs[i]
		switch (r.c.lock.Load() ^ r.l) &^ (waitBit | serialBit) {
		case 0:
			continue
		case lockBit:
			if tx.holds(r.c, &hint) {
				continue
			}
		}
		tx.loser = r.c
		return false
	}
	return true
}

// holds reports whether this commit has locked c. Most transactions write in the order in which they have read, so the
// entry after the last one found is looked at first.
func (tx *Tx) holds(c *core, hint *int) bool {
	if i := *hint; i < len(tx.ws) && tx.ws[i].c == c {
		*hint = i + 1
		return true
	}
	return tx.bloom&bloomBit(c) != 0 && tx.written(c) != nil
}
