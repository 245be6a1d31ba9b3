package chainsel

import "github.com/synodkit/synod/chain"

// rejects remembers invalid blocks, the newest max of them. It belongs to the selection task; errs is the version that others see.
//
// Only blocks that are themselves at fault are remembered. What follows one never gets linked, so a long chain on an invalid block does not
// push the memory out.
type rejects struct {
	max  int
	ring []chain.Hash // in order of finding, from next on once full
	next int
	errs trie[*InvalidError]
}

// add remembers e; it must not be there yet.
func (r *rejects) add(e *InvalidError) {
	hash := e.Block.Point.Hash
	if len(r.ring) < r.max {
		r.ring = append(r.ring, hash)
	} else {
		r.errs = r.errs.Delete(r.ring[r.next])
		r.ring[r.next] = hash
		r.next = (r.next + 1) % r.max
	}
	r.errs = r.errs.Set(hash, e)
}
