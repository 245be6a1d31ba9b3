package coin

import (
	"errors"
	"sync"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

const (
	batchMax    = 128     // signatures verified together: a bad one costs its batch again, and no other
	verifiedMax = 1 << 14 // transfers remembered in each of two generations
)

// verified remembers transfers whose signature is valid, so that a node verifies each about once: when it is offered, not again in its block.
// What is forgotten is verified again, and only what is valid gets in: no verdict depends on what is remembered. Safe for concurrent use.
type verified struct {
	mu       sync.Mutex
	max      int
	new, old map[chain.Hash]struct{} // by ID; each holds at most max, and new becomes old when it is full
}

func newVerified(limit int) *verified {
	return &verified{max: limit, new: map[chain.Hash]struct{}{}}
}

func (v *verified) has(id chain.Hash) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.new[id]; ok {
		return true
	}
	_, ok := v.old[id]
	return ok
}

func (v *verified) add(ids []chain.Hash) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, id := range ids {
		if len(v.new) >= v.max {
			v.new, v.old = map[chain.Hash]struct{}{}, v.new
		}
		v.new[id] = struct{}{}
	}
}

// verify verifies the signatures of transfers of this network, in batches. It gives the place of the first bad one, with a *[SignatureError].
func (l Ledger) verify(ts []Transfer) (int, error) {
	for at := 0; at < len(ts); at += batchMax {
		if i, err := l.verifyBatch(ts[at:min(at+batchMax, len(ts))]); err != nil {
			return at + i, err
		}
	}
	return -1, nil
}

func (l Ledger) verifyBatch(ts []Transfer) (int, error) {
	var batch sign.Batch
	var places []int
	var ids []chain.Hash
	for i, t := range ts {
		if id := t.ID(); !l.known.has(id) {
			batch.Add(domainOf(l.genesis), t.From, t.content(), t.Signature)
			places, ids = append(places, i), append(ids, id)
		}
	}
	err := batch.Verify()
	if err == nil {
		l.known.add(ids)
		return -1, nil
	}
	first := 0
	if bad := new(sign.BatchError); errors.As(err, &bad) {
		first = places[bad.Bad[0]]
	}
	return first, &SignatureError{ts[first].From, l.genesis}
}
