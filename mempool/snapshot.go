package mempool

import (
	"iter"

	"github.com/synodkit/synod/chain"
)

// content is what is pending: a sequence valid in order on the ledger's state at tip. Immutable.
type content[S, X any] struct {
	tip   chain.Tip
	state S // after all of order
	order order[X]
	bytes int
	lanes lanes
	next  uint64 // ticket of the next one; all in order are smaller
	added uint64 // since Open
	hold  bool   // the sync task commits: wait with additions
}

// Entry is a pending transaction in a snapshot.
type Entry[X any] struct {
	ID     chain.Hash
	Ticket uint64
	Raw    []byte // not to be written to
	X      X
}

// Snapshot is what was pending at one moment: a sequence valid in order on the state at Tip. An immutable value, taken in constant time.
type Snapshot[S, X any] struct {
	Tip       chain.Tip
	State     S // after all of them
	Len       int
	SizeBytes int

	order order[X]
	check func(S, X) (S, error)
}

// All iterates over the transactions in their order; tickets grow along it.
func (s Snapshot[S, X]) All() iter.Seq[Entry[X]] {
	return func(yield func(Entry[X]) bool) {
		for ticket, e := range s.order.All() {
			if !yield(Entry[X]{e.id, ticket, e.raw, e.x}) {
				return
			}
		}
	}
}

// Fit is what a block after tip, whose state is given, can hold in bytesMax bytes of transactions: those from the start of the snapshot, up to the
// first that has no room. On the snapshot's own tip they are valid in order. On another tip each is checked again, and left out if it is not
// valid there. One that is larger than bytesMax by itself is in nobody's way: it is left out, and those behind it are checked again. Call it
// outside transactions.
func (s Snapshot[S, X]) Fit(tip chain.Tip, state S, bytesMax int) []X {
	var out []X
	most, checked := bytesMax, tip != s.Tip
	for _, e := range s.order.All() {
		if len(e.raw) > most {
			if !checked { // state is still that of tip
				for _, x := range out {
					state, _ = s.check(state, x) // cannot fail: out is valid in order
				}
				checked = true
			}
			continue
		}
		if len(e.raw) > bytesMax {
			break
		}
		if checked {
			next, err := s.check(state, e.x)
			if err != nil {
				continue
			}
			state = next
		}
		bytesMax -= len(e.raw)
		out = append(out, e.x)
	}
	return out
}
