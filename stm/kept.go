package stm

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// pinAfter lost runs a transaction that has not written yet is pinned: it reads the values of one version for as long
// as it takes, and so its run cannot lose. Committers keep what they replace meanwhile, and wait for nobody.
const pinAfter = 4

// pins is the record of the pinned runs.
type pins struct {
	mu   sync.Mutex
	open []uint64 // their versions
	vars []*core  // those that keep values
}

// kept is a replaced value, and those it replaced before. It is needed by pinned runs only.
type kept struct {
	version uint64
	w       uint64
	p       unsafe.Pointer
	older   atomic.Pointer[kept]
}

// pin makes the next run of tx a pinned one. Its version lies beyond all there are, and every commit that reads the
// clock later sees the bit. So the run sees the commits that had their locks at this moment, and no others.
func (tx *Tx) pin() {
	p := &clock.pins
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		g := clock.Load()
		v := g&^keepBit + ahead + tick
		if clock.CompareAndSwap(g, v|keepBit) {
			p.open = append(p.open, v)
			tx.normal, tx.pinned = pinned, v
			return
		}
	}
}

// unpin ends a pinned run. After the last one nothing is kept any more.
func (tx *Tx) unpin() {
	p := &clock.pins
	p.mu.Lock()
	defer p.mu.Unlock()
	tx.normal = running
	i := slices.Index(p.open, tx.pinned)
	p.open = slices.Delete(p.open, i, i+1)
	if len(p.open) > 0 {
		return
	}
	for g := clock.Load(); !clock.CompareAndSwap(g, g&^keepBit); g = clock.Load() {
	}
	for _, c := range p.vars {
		c.extra.Load().kept.Store(nil)
	}
	clear(p.vars)
	p.vars = p.vars[:0]
}

// keepReplaced keeps the values that this commit is about to replace and that a pinned run may want: those that were
// there when it was pinned. A run that is pinned later sees this commit.
func (tx *Tx) keepReplaced() {
	p := &clock.pins
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		return
	}
	oldest, newest := slices.Min(p.open), slices.Max(p.open)
	for i := range tx.ws {
		e := &tx.ws[i]
		k := &kept{version: e.old &^ waitBit}
		if k.version > newest {
			continue
		}
		k.w, k.p = e.c.value()
		x := e.c.more()
		before := x.kept.Load()
		if before == nil {
			p.vars = append(p.vars, e.c)
		}
		k.older.Store(before)
		k.trim(oldest)
		x.kept.Store(k)
	}
}

// trim drops what no pinned run can want: everything before the newest value that the oldest one may take.
func (k *kept) trim(oldest uint64) {
	for ; k != nil; k = k.older.Load() {
		if k.version <= oldest {
			k.older.Store(nil)
		}
	}
}

// readKept is the value of c in the pinned version, given its latest.
func (tx *Tx) readKept(c *core, l, w uint64, p unsafe.Pointer) (uint64, unsafe.Pointer, uint64) {
	if l&^waitBit <= tx.pinned {
		return w, p, l
	}
	for k := c.extra.Load().kept.Load(); ; k = k.older.Load() {
		if k.version <= tx.pinned {
			return k.w, k.p, k.version
		}
	}
}
