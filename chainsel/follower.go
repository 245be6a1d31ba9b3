package chainsel

import (
	"context"
	"fmt"
	"sort"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/sync/gate"
)

// Follower walks along the selection for one consumer, at the consumer's pace: each Step adds a header to what the consumer has, or rolls it
// back. A new one stands at the genesis.
//
// It keeps the identity of where it stands, the header and those before it as last seen, never a height: a chain that was rolled back and grew
// to the same height again is noticed. The selection task does not know it, so a follower at rest costs nothing but the memory of the
// fragment it keeps. One task uses a follower at a time.
type Follower struct {
	selection func(*stm.Tx) chain.Fragment
	disk      disk
	at        *stm.Var[cursor]
	open      *gate.Semaphore
	failed    *stm.Var[error]
}

// cursor is where a follower stands.
type cursor struct {
	tip    chain.Tip       // the consumer's
	seen   chain.Fragment  // the selection on which tip was last found; holds tip
	old    bool            // tip is at or before the anchor of a selection, so it stays selected
	ahead  []*chain.Header // read from the store, to be served next; all of them at or before an anchor
	closed bool
}

// NewFollower opens a follower; ErrLimit if FollowersMax are open. Close it.
func (c *Chain[S]) NewFollower(ctx context.Context) (*Follower, error) {
	return stm.Atomically(ctx, func(tx *stm.Tx) (*Follower, error) {
		if !c.followers.TryAcquire(tx, 1) {
			return nil, fmt.Errorf("%w: %d followers", ErrLimit, c.cfg.FollowersMax)
		}
		f := &Follower{
			selection: func(tx *stm.Tx) chain.Fragment { return c.sel.Get(tx).Fragment },
			disk:      c.disk, open: c.followers, failed: c.failed,
			at: stm.NewVar(cursor{tip: c.cfg.Genesis, old: true}).Label("chainsel.follower"),
		}
		return f, nil
	})
}

// Close ends the follower; its Next and Intersect find nothing from then on. Closing again does nothing.
func (f *Follower) Close(ctx context.Context) error {
	return stm.Do(env.WithoutCancel(ctx), func(tx *stm.Tx) error {
		if at := f.at.Get(tx); !at.closed {
			f.at.Set(tx, cursor{closed: true})
			f.open.Release(tx, 1)
		}
		return nil
	})
}

// Intersect moves the follower to the first of the points that is on the selection; false, and no move, if none is. Offer the newest first.
// Points older than the selection's fragment are looked for in the store, by their slots.
func (f *Follower) Intersect(tx *stm.Tx, points []chain.Point) (chain.Point, bool) {
	if f.at.Get(tx).closed {
		return chain.Point{}, false
	}
	frag := f.selection(tx)
	for _, p := range points {
		at := cursor{seen: frag}
		if i, ok := frag.Index(p); ok {
			at.tip, at.old = tipAt(frag, i), i < 0
		} else if at.tip, ok = f.find(tx, frag.Anchor(), p); ok {
			at.old = true
		} else {
			continue
		}
		f.at.Set(tx, at)
		return p, true
	}
	return chain.Point{}, false
}

// Next is the next step towards the selection, or false if the follower is at its end: wait with Check. What is older than the selection's
// fragment is read from the store in the transaction: it never changes, so that is as good as a constant.
//
// A store that cannot be read ends the chain's selection task, and Next gives false.
func (f *Follower) Next(tx *stm.Tx) (chain.Step, bool) {
	at, frag := f.at.Get(tx), f.selection(tx)
	if at.closed {
		return chain.Step{}, false
	}
	if at.old && at.tip.BlockNo < frag.Anchor().BlockNo {
		return f.nextOld(tx, at, frag)
	}
	i, ok := frag.Index(at.tip.Point)
	if !ok {
		return f.back(tx, at, frag)
	}
	if i+1 == frag.Len() {
		return chain.Step{}, false
	}
	h := frag.At(i + 1)
	f.at.Set(tx, cursor{tip: h.Tip(), seen: frag})
	return chain.Step{Header: h, To: h.Point(), Tip: frag.Tip()}, true
}

// nextOld serves the header after one that lies before the anchor.
func (f *Follower) nextOld(tx *stm.Tx, at cursor, frag chain.Fragment) (chain.Step, bool) {
	if len(at.ahead) == 0 {
		from := at.tip.BlockNo + 1
		ahead, err := f.disk.headers(from, min(from+followAhead-1, frag.Anchor().BlockNo))
		if err != nil {
			return f.fail(tx, err)
		}
		at.ahead = ahead
	}
	h := at.ahead[0]
	if h.Prev() != at.tip.Point.Hash {
		return f.fail(tx, f.disk.corrupt(fmt.Sprintf("header %d", h.BlockNo()), fmt.Errorf("%w: after %v", chain.ErrNotNext, at.tip)))
	}
	f.at.Set(tx, cursor{tip: h.Tip(), seen: frag, old: true, ahead: at.ahead[1:]})
	return chain.Step{Header: h, To: h.Point(), Tip: frag.Tip()}, true
}

// followAhead is how many headers a follower reads from the store at a time.
const followAhead = 64

// back rolls back to the newest block that both what the follower saw and the selection hold.
func (f *Follower) back(tx *stm.Tx, at cursor, frag chain.Fragment) (chain.Step, bool) {
	mine, _ := at.seen.RollbackTo(at.tip.Point)
	to, ok := mine.Intersect(frag)
	next := cursor{seen: frag}
	if ok {
		i, _ := frag.Index(to)
		next.tip, next.old = tipAt(frag, i), i < 0
	} else {
		tip, err := f.common(mine, frag.Anchor().BlockNo)
		if err != nil {
			return f.fail(tx, err)
		}
		next.tip, next.old = tip, true
	}
	if next.tip == at.tip { // still selected: it is now before the anchor
		return f.nextOld(tx, next, frag)
	}
	f.at.Set(tx, next)
	return chain.Step{To: next.tip.Point, Tip: frag.Tip()}, true
}

// common is the newest block of mine that is stored with a number up to anchor. Mine's own anchor is: no rollback passes an anchor.
func (f *Follower) common(mine chain.Fragment, anchor chain.BlockNo) (chain.Tip, error) {
	first := mine.Anchor().BlockNo
	n := mine.Len()
	if past := anchor - first; past < chain.BlockNo(n) {
		n = int(past)
	}
	var failed error
	i := sort.Search(n, func(i int) bool {
		h, err := f.disk.header(first + chain.BlockNo(i) + 1)
		if err != nil {
			failed = err
			return true
		}
		return h.Hash() != mine.At(i).Hash()
	})
	return tipAt(mine, i-1), failed
}

// find looks for a point among the stored blocks before an anchor, by its slot.
func (f *Follower) find(tx *stm.Tx, anchor chain.Tip, p chain.Point) (chain.Tip, bool) {
	tip, found, err := f.disk.find(anchor, p)
	if err != nil {
		f.fail(tx, err)
	}
	return tip, found
}

func (f *Follower) fail(tx *stm.Tx, err error) (chain.Step, bool) {
	if f.failed.Get(tx) == nil {
		f.failed.Set(tx, err)
	}
	return chain.Step{}, false
}

// tipAt is the tip at an index of a fragment, -1 for the anchor.
func tipAt(f chain.Fragment, i int) chain.Tip {
	if i < 0 {
		return f.Anchor()
	}
	return f.At(i).Tip()
}

// find is the stored block at a point, if its number is at most anchor's.
func (d disk) find(anchor chain.Tip, p chain.Point) (tip chain.Tip, found bool, err error) {
	if p == (chain.Point{Hash: d.genesis}) {
		return chain.Tip{Point: p}, true, nil
	}
	if p.Slot > anchor.Point.Slot {
		return tip, false, nil
	}
	var at *chain.Header
	sort.Search(int(anchor.BlockNo), func(i int) bool {
		h, bad := d.header(chain.BlockNo(i) + 1)
		switch {
		case bad != nil:
			err = bad
			return true
		case h.Slot() < p.Slot:
			return false
		case h.Point() == p:
			at = h
		}
		return true
	})
	if at == nil || err != nil {
		return tip, false, err
	}
	return at.Tip(), true, nil
}
