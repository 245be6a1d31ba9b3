package stm

// bloomBit is c's bit in the filter over the write set.
func bloomBit(c *core) uint64 { a := address(c) >> 4; return 1 << ((a ^ a>>6) & 63) }

// written finds c in the write set.
func (tx *Tx) written(c *core) *write {
	if len(tx.ws) > indexAbove {
		if i := tx.index.find(c, tx.ws); i >= 0 {
			return &tx.ws[i]
		}
		return nil
	}
	for i := len(tx.ws) - 1; i >= 0; i-- {
		if tx.ws[i].c == c {
			return &tx.ws[i]
		}
	}
	return nil
}

// writeTo is the entry of c in the write set, made if need be. A value of an enclosing branch is kept for undoTo.
func (tx *Tx) writeTo(c *core) *write {
	if tx.mode != running {
		tx.mayWrite()
	}
	b := bloomBit(c)
	if tx.bloom&b != 0 {
		if e := tx.written(c); e != nil {
			if tx.level > 0 {
				if i := tx.placeOf(e); i < tx.level {
					tx.used = true
					tx.undo = append(tx.undo, undone{int32(i), e.w, e.p})
				}
			}
			return e
		}
	}
	tx.bloom |= b
	tx.fast = 0
	tx.ws = append(tx.ws, write{c: c})
	n := len(tx.ws)
	if n > tx.most {
		tx.moreWrites(n)
	}
	return &tx.ws[n-1]
}

// moreWrites is what a write set that has grown to n takes.
func (tx *Tx) moreWrites(n int) {
	tx.most = min(cap(tx.ws), indexAbove)
	switch n {
	case writesInside + 1:
		clear(tx.wsBuf[:])
	case keepMost + 1:
		tx.used = true
	}
	if n > indexAbove {
		tx.index.add(tx.ws)
	}
}

// mayWrite sorts out the unusual runs: a pinned one ends with its first write, and will not be one again.
func (tx *Tx) mayWrite() {
	switch {
	case tx.mode == dead:
		tx.misused()
	case tx.normal == pinned:
		tx.wrote = true
		tx.doom(aborted)
	}
}

// savepoint is the state of the write side at the start of a branch. Reads of a branch are never undone: the outcome
// depends on them, and a wait waits for them too.
type savepoint struct{ writes, undo, after, level int }

func (tx *Tx) save() savepoint {
	s := savepoint{len(tx.ws), len(tx.undo), len(tx.after), tx.level}
	tx.level = s.writes
	return s
}

// keep ends a branch whose effects stay.
func (tx *Tx) keep(s savepoint) { tx.level = s.level }

// undoTo takes back everything since s, exactly.
func (tx *Tx) undoTo(s savepoint) {
	for i := len(tx.undo) - 1; i >= s.undo; i-- {
		u := &tx.undo[i]
		tx.ws[u.i].w, tx.ws[u.i].p = u.w, u.p
	}
	clear(tx.undo[s.undo:])
	tx.undo = tx.undo[:s.undo]
	clear(tx.ws[s.writes:])
	tx.ws = tx.ws[:s.writes]
	clear(tx.after[s.after:])
	tx.after = tx.after[:s.after]
	tx.level = s.level
}
