package chain

import (
	"errors"
	"fmt"
	"iter"
	"sort"
	"sync/atomic"
)

// ErrNotNext says that a header does not follow the tip it should: wrong predecessor or number, or a slot that is not later.
var ErrNotNext = errors.New("chain: header does not follow the tip")

// Fragment is an immutable run of headers after an anchor, the tip of what comes before. Consecutive headers are linked by
// hash, numbered without gap, and in strictly increasing slots. Appending and rolling back give new values; older ones keep
// their content. Compare tips, not Fragments: == tells only values made by the same calls apart from others.
//
// Append costs O(1) amortised, on a fork (appending to a value that was appended to before) one copy of the pointers. At, Len,
// Tip and RollbackTo do not allocate; Index is a binary search.
type Fragment struct {
	anchor Tip
	shared *run // nil while empty
	lo, hi int  // this value's headers are shared.slots[lo:hi]
}

// run is memory that several Fragments look into. Slot i belongs for ever to the one Fragment whose Append moved used from
// i to i+1; all other appends at i copy. So no slot that any Fragment can see is ever written again.
type run struct {
	used  atomic.Int64
	slots []*Header // length is the capacity
}

// NewFragment is the empty fragment after anchor.
func NewFragment(anchor Tip) Fragment { return Fragment{anchor: anchor} }

// Anchor is the tip of what comes before the first header.
func (f Fragment) Anchor() Tip { return f.anchor }

// Len is the number of headers, without the anchor.
func (f Fragment) Len() int { return f.hi - f.lo }

// At is the i-th header, 0 the oldest. It panics unless 0 <= i < Len.
func (f Fragment) At(i int) *Header {
	if i < 0 || i >= f.Len() {
		panic(fmt.Sprintf("chain: fragment index %d of %d", i, f.Len()))
	}
	return f.shared.slots[f.lo+i]
}

// Tip is the tip of the last header, or the anchor.
func (f Fragment) Tip() Tip { return f.tipAt(f.Len() - 1) }

// tipAt is the tip at index i, where -1 is the anchor.
func (f Fragment) tipAt(i int) Tip {
	if i < 0 {
		return f.anchor
	}
	return f.shared.slots[f.lo+i].Tip()
}

// Append is f with h after its tip, or ErrNotNext.
func (f Fragment) Append(h *Header) (Fragment, error) {
	t := f.Tip()
	switch {
	case h.Prev() != t.Point.Hash:
		return f, fmt.Errorf("%w: %v has predecessor %v, the tip is %v", ErrNotNext, h, h.Prev(), t)
	case h.BlockNo() == 0 || h.BlockNo()-1 != t.BlockNo:
		return f, fmt.Errorf("%w: %v after %v: number", ErrNotNext, h, t)
	case h.Slot() <= t.Point.Slot:
		return f, fmt.Errorf("%w: %v after %v: slot", ErrNotNext, h, t)
	}
	return f.add(h), nil
}

// add claims the next slot of the shared run, or moves to a run of its own.
func (f Fragment) add(h *Header) Fragment {
	r := f.shared
	if r == nil || f.hi == len(r.slots) || !r.used.CompareAndSwap(int64(f.hi), int64(f.hi)+1) {
		f = f.moved(f.Len() + f.Len()/4 + 8)
		f.shared.used.Add(1)
	}
	f.shared.slots[f.hi] = h
	f.hi++
	return f
}

// moved is f in a run of its own with the given capacity.
func (f Fragment) moved(capacity int) Fragment {
	own := &run{slots: make([]*Header, capacity)}
	n := 0
	if f.shared != nil {
		n = copy(own.slots, f.shared.slots[f.lo:f.hi])
	}
	own.used.Store(int64(n))
	return Fragment{anchor: f.anchor, shared: own, hi: n}
}

// Index finds the header at p: its index, or -1 for the anchor; false if p is not on the fragment.
func (f Fragment) Index(p Point) (int, bool) {
	if p == f.anchor.Point {
		return -1, true
	}
	i := sort.Search(f.Len(), func(i int) bool { return f.At(i).Slot() >= p.Slot })
	if i < f.Len() && f.At(i).Point() == p {
		return i, true
	}
	return 0, false
}

// RollbackTo is f without what comes after p; false (and f) if p is not on the fragment. The anchor is on it.
func (f Fragment) RollbackTo(p Point) (Fragment, bool) {
	i, ok := f.Index(p)
	if ok {
		f.hi = f.lo + i + 1
	}
	return f, ok
}

// Trim keeps the newest n headers; the anchor moves up. A fragment that is not longer is returned as it is.
func (f Fragment) Trim(n int) Fragment {
	n = max(n, 0)
	drop := f.Len() - n
	if drop <= 0 {
		return f
	}
	f.anchor = f.tipAt(drop - 1)
	f.lo += drop
	if len(f.shared.slots) > 2*n+16 { // let go of the memory
		return f.moved(n + n/4 + 8)
	}
	return f
}

// Intersect is the newest point that both fragments, anchors included, hold; false if there is none.
func (f Fragment) Intersect(g Fragment) (Point, bool) {
	// Equal numbers are compared. Hash links make "equal at n" hold for a prefix of the numbers that both cover.
	low := max(f.anchor.BlockNo, g.anchor.BlockNo)
	high := min(f.Tip().BlockNo, g.Tip().BlockNo)
	if low > high || f.atNo(low) != g.atNo(low) {
		return Point{}, false
	}
	n := sort.Search(int(high-low), func(i int) bool {
		at := low + BlockNo(i) + 1
		return f.atNo(at) != g.atNo(at)
	})
	return f.atNo(low + BlockNo(n)), true
}

// atNo is the point with number n, which lies between the anchor's and the tip's.
func (f Fragment) atNo(n BlockNo) Point { return f.tipAt(int(n-f.anchor.BlockNo) - 1).Point }

// From iterates over the headers after p, oldest first; over none if p is not on the fragment ([Fragment.Index] tells).
func (f Fragment) From(p Point) iter.Seq[*Header] {
	return func(yield func(*Header) bool) {
		i, ok := f.Index(p)
		for i++; ok && i < f.Len(); i++ {
			if !yield(f.At(i)) {
				return
			}
		}
	}
}

// Points are points to offer when looking for an intersection: the tip, those 1, 2, 4, ... before it, and the anchor; newest
// first, about log2(Len)+2 of them.
func (f Fragment) Points() []Point {
	var ps []Point
	n := f.Len()
	for back := 0; back < n; back = max(1, 2*back) {
		ps = append(ps, f.At(n-1-back).Point())
	}
	return append(ps, f.anchor.Point)
}
