package mempool

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
)

// record is all that is known about one transaction. Immutable.
type record[X any] struct {
	id    chain.Hash
	stage Stage
	item  *item[X]  // of a Pending one
	local *local[X] // in the journal
	at    chain.Tip // Included, Refused
	err   error     // Refused

	next *record[X] // in the bucket
}

// index finds records by id. Its buckets are Vars of their own, so that additions meet in few of them. Which bucket an id falls into is the
// pool's secret: nobody can make ids that share one.
type index[X any] struct {
	buckets []*stm.Var[*record[X]]
	a, b    uint64
}

// bucketLoad is how many records a bucket holds when all limits are reached.
const bucketLoad = 8

func newIndex[X any](r *rand.Rand, most int) index[X] {
	ix := index[X]{buckets: make([]*stm.Var[*record[X]], 1<<bits.Len(uint(most/bucketLoad))), a: r.Uint64(), b: r.Uint64()}
	for i := range ix.buckets {
		ix.buckets[i] = stm.NewVar[*record[X]](nil)
	}
	return ix
}

func (ix index[X]) bucket(id chain.Hash) *stm.Var[*record[X]] {
	hi, lo := bits.Mul64(binary.LittleEndian.Uint64(id[:])^ix.a, binary.LittleEndian.Uint64(id[8:])^ix.b)
	return ix.buckets[(hi^lo)&uint64(len(ix.buckets)-1)]
}

// find is the record of an id, or nil.
func (ix index[X]) find(tx *stm.Tx, id chain.Hash) *record[X] {
	for r := ix.bucket(id).Get(tx); r != nil; r = r.next {
		if r.id == id {
			return r
		}
	}
	return nil
}

// put sets the record of an id. It keeps r.
func (ix index[X]) put(tx *stm.Tx, r *record[X]) {
	v := ix.bucket(r.id)
	r.next = without(v.Get(tx), r.id)
	v.Set(tx, r)
}

// forget removes the record of an id.
func (ix index[X]) forget(tx *stm.Tx, id chain.Hash) {
	v := ix.bucket(id)
	if was := v.Get(tx); was != nil {
		v.Set(tx, without(was, id))
	}
}

// without is a bucket's list without an id; what stands after it is shared.
func without[X any](r *record[X], id chain.Hash) *record[X] {
	found := r
	for found != nil && found.id != id {
		found = found.next
	}
	if found == nil {
		return r
	}
	var first *record[X]
	last := &first
	for ; r != found; r = r.next {
		c := *r
		*last, last = &c, &c.next
	}
	*last = found.next
	return first
}
