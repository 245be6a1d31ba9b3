package stm

import (
	"runtime"
	"unsafe"
)

// read is TL2's read with LSA's extension: the value is taken between two equal looks at the lock word, and a version
// newer than the snapshot either moves the whole snapshot forward or ends the run. So a body never sees two moments.
func (tx *Tx) read(c *core) (uint64, unsafe.Pointer) {
	if tx.bloom&bloomBit(c) != 0 {
		if e := tx.written(c); e != nil {
			return e.w, e.p
		}
	}
	for {
		l := c.lock.Load()
		if l&flags == 0 && !tx.serial {
			w, p := c.value()
			if c.lock.Load() != l {
				continue
			}
			if l <= tx.rv {
				tx.rs = append(tx.rs, read{c, l})
				return w, p
			}
			tx.extend()
			continue
		}
		if w, p, ok := tx.readFlagged(c, l); ok {
			return w, p
		}
	}
}

// readFlagged is read when c carries a flag, or when this transaction is the serial one.
//
//go:noinline
func (tx *Tx) readFlagged(c *core, l uint64) (w uint64, p unsafe.Pointer, ok bool) {
	if l&lockBit != 0 {
		runtime.Gosched()
		return 0, nil, false
	}
	if tx.serial {
		return tx.reserve(c, l)
	}
	w, p = c.value()
	if c.lock.Load() != l {
		return 0, nil, false
	}
	if l &^= serialBit; l > tx.rv {
		tx.extend()
		return 0, nil, false
	}
	tx.rs = append(tx.rs, read{c, l})
	return w, p, true
}

// extend moves the snapshot to now if nothing read has changed, and aborts otherwise.
func (tx *Tx) extend() {
	now := clock.Load()
	if !tx.valid() {
		tx.doom(aborted)
	}
	tx.rv = now
}

// valid reports whether everything read still has the version it had. Locks held by this commit do not count.
func (tx *Tx) valid() bool {
	for i := range tx.rs {
		r := &tx.rs[i]
		l := r.c.lock.Load()
		if l == r.l || l&^serialBit == r.l {
			continue
		}
		if l != r.l|lockBit || !tx.holds(r.c) {
			return false
		}
	}
	return true
}

// holds reports whether this commit has locked c.
func (tx *Tx) holds(c *core) bool {
	return tx.locking && tx.bloom&bloomBit(c) != 0 && tx.written(c) != nil
}
