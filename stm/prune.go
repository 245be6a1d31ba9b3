package stm

// pruneAfter so many values have been kept without a moment in which nothing was pinned, those that only ended runs
// wanted are dropped.
const pruneAfter = 1024

// prune drops what no open run wants, and the Vars that keep nothing then from the list. So what is kept is bounded by what
// the open runs can want, and as much again. The caller holds the lock.
func (p *pins) prune() {
	left := int64(0)
	for k := p.keep.Swap(nil); k != nil; {
		next := k.next
		if n := k.c.prune(p.open); n > 0 {
			left += n
			p.list(k)
		}
		k = next
	}
	p.added.Store(0)
	p.limit = left
}

// prune drops the values that none of the open runs takes, and says how many it leaves. Each takes the newest up to its
// version. That may be the present one, unless a commit holds the lock: then it may be about to be replaced.
func (c *core) prune(open []uint64) (left int64) {
	x := c.extra.Load()
	for {
		head := x.kept.Load() // before the look at the lock word: a commit that locks later puts its value on top
		taken := c.lock.Load() &^ (serialBit | waitBit)
		at, first, last := head, (*kept)(nil), (*kept)(nil)
		left = 0
		for i := len(open) - 1; i >= 0; i-- {
			if taken <= open[i] { // never while it is locked
				continue
			}
			for at != nil && at.version > open[i] {
				at = at.older.Load()
			}
			if at == nil {
				break
			}
			if last == nil {
				first = at
			} else {
				last.older.Store(at)
			}
			last, taken = at, at.version
			left++
		}
		if last != nil {
			last.older.Store(nil)
		}
		if first == head || x.kept.CompareAndSwap(head, first) {
			return left
		}
	}
}
