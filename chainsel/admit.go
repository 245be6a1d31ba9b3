package chainsel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/synodkit/synod/chain"
)

var errBelow = errors.New("a block below it is invalid")

// admit puts a block into the volatile part, unless it is known or refused, and gives the blocks that now reach the selection and did not
// before: it, and what waited for it.
func (t *selector[S]) admit(b chain.Block) []*held[S] {
	hash, no := b.Header.Hash(), b.Header.BlockNo()
	if _, ok := t.sel.find(hash); ok || t.vol.by[hash] != nil {
		return nil
	}
	if err, ok := t.bad.errs.Get(hash); ok {
		t.fate[hash] = Result{Verdict: Invalid, Err: err}
		return nil
	}
	if no <= t.sel.Fragment.Anchor().BlockNo {
		return t.refuse(b, TooOld)
	}
	before, linked, known := t.before(b)
	switch {
	case known && linked:
		if err := follows(before, b.Header); err != nil {
			t.blame(b, err)
			return nil
		}
	case !known:
		if below, ok := t.bad.errs.Get(b.Header.Prev()); ok {
			t.taint(b, below)
			return nil
		}
		// Its chain to the selection would have to be in the volatile part.
		if no > t.sel.Tip().BlockNo+chain.BlockNo(t.c.cfg.VolatileMax) {
			return t.refuse(b, TooFar)
		}
	}
	h := t.vol.add(b, linked)
	if !linked {
		return nil
	}
	return t.linkAfter(h)
}

// before finds a block's predecessor, and whether it reaches the selection.
func (t *selector[S]) before(b chain.Block) (tip chain.Tip, linked, known bool) {
	prev := b.Header.Prev()
	if i, ok := t.sel.find(prev); ok {
		return t.sel.tipAt(i), true, true
	}
	if p := t.vol.by[prev]; p != nil {
		return p.tip(), p.linked, true
	}
	return chain.Tip{}, false, false
}

// follows checks what a header says against its predecessor; that the hash is right is known.
func follows(t chain.Tip, h *chain.Header) error {
	switch {
	case h.BlockNo()-1 != t.BlockNo:
		return fmt.Errorf("%w: number %d after %v", chain.ErrNotNext, h.BlockNo(), t)
	case h.Slot() <= t.Point.Slot:
		return fmt.Errorf("%w: slot %d after %v", chain.ErrNotNext, h.Slot(), t)
	}
	return nil
}

// linkAfter marks h, and all that waited for it, as reaching the selection. What does not follow its predecessor goes.
func (t *selector[S]) linkAfter(h *held[S]) []*held[S] {
	fresh := []*held[S]{h}
	t.vol.link(h)
	for i := 0; i < len(fresh); i++ {
		p := fresh[i]
		for _, k := range slices.Clone(t.vol.kids[p.hash()]) {
			if k.linked {
				continue
			}
			if err := follows(p.tip(), k.block.Header); err != nil {
				t.reject(k, err)
				continue
			}
			t.vol.link(k)
			fresh = append(fresh, k)
		}
	}
	return fresh
}

func (t *selector[S]) refuse(b chain.Block, v Verdict) []*held[S] {
	r := Result{Verdict: v}
	t.fate[b.Header.Hash()] = r
	t.stat.Refused++
	t.decline(v, b.Header.Tip(), t.reason(r, b), nil)
	return nil
}

// blame remembers a block as invalid.
func (t *selector[S]) blame(b chain.Block, err error) *InvalidError {
	e := &InvalidError{b.Header.Tip(), err}
	t.bad.add(e)
	t.fate[b.Header.Hash()] = Result{Verdict: Invalid, Err: e}
	t.stat.Invalid++
	t.decline(Invalid, e.Block, "", e)
	t.events = append(t.events, Event{Verdict: Invalid, Block: e.Block, Tip: t.sel.Tip(), Err: e})
	return e
}

// taint refuses a block for what is below it, without remembering it.
func (t *selector[S]) taint(b chain.Block, below *InvalidError) {
	t.fate[b.Header.Hash()] = Result{Verdict: Invalid, Err: &InvalidError{b.Header.Tip(), fmt.Errorf("%w: %w", errBelow, below)}}
}

// reject takes an invalid block, and all after it, out of the volatile part.
func (t *selector[S]) reject(h *held[S], err error) {
	e := t.blame(h.block, err)
	t.vol.removeTree(h, func(x *held[S]) {
		if x != h {
			t.taint(x.block, e)
		}
	})
}

// evicted notes a block that the volatile part has no room for.
func (t *selector[S]) evicted(h *held[S]) {
	t.fate[h.hash()] = Result{Verdict: Full}
	t.stat.Evicted++
	t.decline(Full, h.tip(), whyFull, nil)
}

// passed notes a block that the selection's anchor has left behind.
func (t *selector[S]) passed(h *held[S]) { t.fate[h.hash()] = Result{Verdict: TooOld} }
