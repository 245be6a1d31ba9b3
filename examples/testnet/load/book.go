package load

import (
	"slices"

	"github.com/synodkit/synod/chain"
)

// book keeps account of every transfer handed in, until it is so deep on the chain that nothing can take it off. It is a pure state machine.
type book struct {
	depth  int // blocks below the tip from which on a transfer is settled
	open   map[chain.Hash]*entry
	blocks []block // on the chain and not settled, oldest first

	accepted  int
	onChain   int // of the accepted ones, the settled ones included
	latencies latencies
}

// entry is one transfer.
type entry struct {
	from     int
	accepted bool
	timed    bool   // its latency has been counted
	node     int    // that accepted it
	slot     uint64 // in which it was accepted
	block    uint64 // that includes it; 0: none
}

// block is what the book remembers of a block: which of its transfers it knows.
type block struct {
	number, slot uint64
	hash         chain.Hash
	ids          []chain.Hash
}

func newBook(depth int) *book { return &book{depth: depth, open: map[chain.Hash]*entry{}} }

// sent notes a transfer before anybody can have it.
func (b *book) sent(id chain.Hash, from int) {
	if b.open[id] == nil {
		b.open[id] = &entry{from: from}
	}
}

// drop forgets a transfer that has not been accepted, and never will be.
func (b *book) drop(id chain.Hash) {
	if e := b.open[id]; e != nil && !e.accepted && e.block == 0 {
		delete(b.open, id)
	}
}

// accept notes that a node has promised to keep a transfer, and reports whether it is on the chain already.
func (b *book) accept(id chain.Hash, node int, slot uint64) (onChain bool) {
	e := b.open[id]
	if e == nil { // settled, which only a promise that took very long can meet
		e = &entry{}
		b.open[id] = e
	}
	if e.accepted {
		return e.block > 0
	}
	e.accepted, e.node, e.slot = true, node, slot
	b.accepted++
	if e.block == 0 {
		return false
	}
	b.onChain++
	b.time(e, e.slot)
	return true
}

// include takes the next block of the chain, and calls gone for each accepted transfer in it.
func (b *book) include(next block, gone func(from int)) {
	var known []chain.Hash
	for _, id := range next.ids {
		e := b.open[id]
		if e == nil {
			continue
		}
		known = append(known, id)
		e.block = next.number
		if e.accepted {
			b.onChain++
			b.time(e, next.slot)
			gone(e.from)
		}
	}
	next.ids = known
	b.blocks = append(b.blocks, next)
	if len(b.blocks) > b.depth {
		for _, id := range b.blocks[0].ids {
			delete(b.open, id)
		}
		b.blocks = slices.Delete(b.blocks, 0, 1)
	}
}

// time counts a transfer's latency when it is included for the first time.
func (b *book) time(e *entry, slot uint64) {
	if !e.timed {
		e.timed = true
		b.latencies.add(int64(slot) - int64(e.slot))
	}
}

// undo takes the newest block off, and calls back for each accepted transfer in it.
func (b *book) undo(back func(from int)) {
	last := len(b.blocks) - 1
	for _, id := range b.blocks[last].ids {
		e := b.open[id]
		e.block = 0
		if e.accepted {
			b.onChain--
			back(e.from)
		}
	}
	b.blocks = b.blocks[:last]
}

// tip is the newest block known, or false before the first.
func (b *book) tip() (block, bool) {
	if len(b.blocks) == 0 {
		return block{}, false
	}
	return b.blocks[len(b.blocks)-1], true
}

// outstanding are the accepted transfers that are not on the chain up to a block.
func (b *book) outstanding(upTo uint64) []Transfer {
	var out []Transfer
	for id, e := range b.open {
		if e.accepted && (e.block == 0 || e.block > upTo) {
			out = append(out, Transfer{ID: id, Node: e.node, Slot: e.slot, Block: e.block})
		}
	}
	slices.SortFunc(out, func(x, y Transfer) int { return slices.Compare(x.ID[:], y.ID[:]) })
	return out
}
