package stm

import (
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// After so many lost runs a transaction that has not written yet is pinned: it reads the values of one version for as
// long as it takes, and so its run cannot lose. Committers keep what they replace meanwhile, and wait for nobody.
const (
	pinAfter = 4
	longRun  = 16 // a lost run that has read so many Vars is enough
)

// pins is the record of the pinned runs. Committers look at it without the lock.
type pins struct {
	mu     sync.Mutex    // guards open
	open   []uint64      // their versions, the oldest first
	oldest atomic.Uint64 // of them; older than that nobody wants
	newest atomic.Uint64 // of them; who is replaced and newer is wanted by nobody; 0 if there is none
	keep   atomic.Pointer[keeper]
	added  atomic.Int64 // values kept since the list was last looked through
	limit  int64        // of added; guarded by mu
}

// keeper is an entry in the list of Vars that keep values.
type keeper struct {
	c    *core
	next *keeper
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
		p.newest.Store(v) // whoever sees the bit sees it
		if len(p.open) == 0 {
			p.oldest.Store(v)
		}
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
	if n := len(p.open); n > 0 {
		p.oldest.Store(p.open[0])
		p.newest.Store(p.open[n-1])
		if p.added.Load() > max(p.limit, pruneAfter) {
			p.prune()
		}
		return
	}
	for g := clock.Load(); !clock.CompareAndSwap(g, g&^keepBit); g = clock.Load() {
	}
	p.newest.Store(0)
	p.sweep()
}

// sweep drops all that is kept. The caller holds the lock, and no run is pinned.
func (p *pins) sweep() {
	for k := p.keep.Swap(nil); k != nil; k = k.next {
		k.c.extra.Load().kept.Store(nil)
	}
	p.added.Store(0)
	p.limit = 0
}

// keepReplaced keeps the values that this commit is about to replace and that a pinned run may want: those that were
// there when it was pinned. A run that is pinned later sees this commit.
func (tx *Tx) keepReplaced() {
	p := &clock.pins
	newest := p.newest.Load()
	for i := range tx.ws {
		e := &tx.ws[i]
		if version := e.old &^ waitBit; version <= newest {
			k := &kept{version: version}
			k.w, k.p = e.c.value()
			p.add(e.c, k)
		}
	}
	if clock.Load()&keepBit != 0 {
		return // who takes it away sweeps
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.open) == 0 {
		p.sweep()
	}
}

// add enters k, the value of c that is about to be replaced. The caller holds the lock of c.
func (p *pins) add(c *core, k *kept) {
	x := c.more()
	before := x.kept.Load()
	for k.older.Store(before); !x.kept.CompareAndSwap(before, k); k.older.Store(before) {
		before = x.kept.Load() // it has been swept
	}
	k.trim(p.oldest.Load())
	p.added.Add(1)
	if before == nil {
		p.list(&keeper{c: c})
	}
}

func (p *pins) list(k *keeper) {
	for {
		if k.next = p.keep.Load(); p.keep.CompareAndSwap(k.next, k) {
			return
		}
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
