package mempool

import (
	"iter"
	"sort"

	"github.com/synodkit/synod/chain"
)

// item is a transaction that passed Parse. Immutable.
type item[X any] struct {
	id   chain.Hash
	raw  []byte
	x    X
	lane string // by which it came; none if a local client or a block brought it
}

// slot is a place in the order.
type slot[X any] struct {
	ticket uint64
	*item[X]
}

// chunkLen balances what an append copies: half a chunk, and every chunkLen appends the list of chunks.
const chunkLen = 64

// order is a persistent sequence of slots in growing tickets: with gives a new value and leaves the old one as it is.
type order[X any] struct {
	full []*[chunkLen]slot[X]
	tail []slot[X] // fewer than chunkLen, but for a moment in a builder
}

func (o order[X]) len() int { return len(o.full)*chunkLen + len(o.tail) }

func (o order[X]) at(i int) slot[X] {
	if c := i / chunkLen; c < len(o.full) {
		return o.full[c][i%chunkLen]
	}
	return o.tail[i%chunkLen]
}

// with is o and one slot more.
func (o order[X]) with(s slot[X]) order[X] {
	n := len(o.tail)
	tail := make([]slot[X], n+1)
	copy(tail, o.tail)
	tail[n] = s
	if n+1 < chunkLen {
		return order[X]{o.full, tail}
	}
	full := make([]*[chunkLen]slot[X], len(o.full)+1)
	copy(full, o.full)
	full[len(o.full)] = (*[chunkLen]slot[X])(tail)
	return order[X]{full: full}
}

// after is the index of the first slot with a greater ticket; len if there is none.
func (o order[X]) after(ticket uint64) int {
	return sort.Search(o.len(), func(i int) bool { return o.at(i).ticket > ticket })
}

// from iterates over the slots from index i.
func (o order[X]) from(i int) iter.Seq[slot[X]] {
	return func(yield func(slot[X]) bool) {
		for n := o.len(); i < n; i++ {
			if !yield(o.at(i)) {
				return
			}
		}
	}
}

// builder makes an order in place. It must not be added to once its order was shown.
type builder[X any] struct{ order order[X] }

func (b *builder[X]) add(s slot[X]) {
	if b.order.tail == nil {
		b.order.tail = make([]slot[X], 0, chunkLen)
	}
	b.order.tail = append(b.order.tail, s)
	if len(b.order.tail) == chunkLen {
		b.order.full = append(b.order.full, (*[chunkLen]slot[X])(b.order.tail))
		b.order.tail = nil
	}
}
