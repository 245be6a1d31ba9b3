package chainsel

import (
	"container/heap"
	"slices"

	"github.com/synodkit/synod/chain"
)

// held is one block of the volatile part.
type held[S any] struct {
	block  chain.Block
	size   int
	seq    uint64 // of arrival
	linked bool   // its predecessors reach the selection
	valid  bool   // the ledger has accepted it and all before it; state is the ledger's after it
	state  S
	leaf   int // its index among the leaves, -1 while it has successors here
}

func (h *held[S]) hash() chain.Hash { return h.block.Header.Hash() }
func (h *held[S]) tip() chain.Tip   { return h.block.Header.Tip() }

// volatile holds the blocks beside the selection: forks of it, and blocks whose predecessor is not known. It belongs to the selection task;
// shown is the version of it that others see. Links are by hash alone, so blocks move between it and the selection without being relinked.
type volatile[S any] struct {
	max, bytesMax int

	by     map[chain.Hash]*held[S]
	kids   map[chain.Hash][]*held[S] // by the predecessor's hash, wherever that is; in order of arrival
	leaves leaves[S]
	bytes  int
	seq    uint64
	shown  trie[place]
}

// place is what others see of a block of the volatile part.
type place struct {
	block  chain.Block
	linked bool
}

func newVolatile[S any](max, bytesMax int) *volatile[S] {
	return &volatile[S]{max: max, bytesMax: bytesMax, by: map[chain.Hash]*held[S]{}, kids: map[chain.Hash][]*held[S]{}}
}

// add puts in a block that is not there yet. It may leave the volatile part over its limits, until evict.
func (v *volatile[S]) add(b chain.Block, linked bool) *held[S] {
	v.seq++
	h := &held[S]{block: b, size: len(b.Header.Bytes()) + len(b.Body), seq: v.seq, linked: linked, leaf: -1}
	prev := b.Header.Prev()
	if p := v.by[prev]; p != nil && p.leaf >= 0 {
		heap.Remove(&v.leaves, p.leaf)
	}
	v.by[h.hash()] = h
	v.kids[prev] = append(v.kids[prev], h)
	if len(v.kids[h.hash()]) == 0 {
		heap.Push(&v.leaves, h)
	}
	v.bytes += h.size
	v.shown = v.shown.Set(h.hash(), place{b, linked})
	return h
}

// link marks a block as reaching the selection.
func (v *volatile[S]) link(h *held[S]) {
	h.linked = true
	v.shown = v.shown.Set(h.hash(), place{h.block, true})
}

// remove takes out one block; its successors stay.
func (v *volatile[S]) remove(h *held[S]) {
	prev := h.block.Header.Prev()
	left := slices.DeleteFunc(v.kids[prev], func(k *held[S]) bool { return k == h })
	if len(left) > 0 {
		v.kids[prev] = left
	} else {
		delete(v.kids, prev)
		if p := v.by[prev]; p != nil {
			heap.Push(&v.leaves, p)
		}
	}
	if h.leaf >= 0 {
		heap.Remove(&v.leaves, h.leaf)
	}
	delete(v.by, h.hash())
	v.bytes -= h.size
	v.shown = v.shown.Delete(h.hash())
}

// removeTree takes out a block and all after it, and shows each to gone first.
func (v *volatile[S]) removeTree(h *held[S], gone func(*held[S])) {
	all := []*held[S]{h}
	for i := 0; i < len(all); i++ {
		all = append(all, v.kids[all[i].hash()]...)
	}
	for _, x := range slices.Backward(all) {
		gone(x)
		v.remove(x)
	}
}

// tips are the blocks without successors at and after h.
func (v *volatile[S]) tips(h *held[S]) []*held[S] {
	var out []*held[S]
	todo := []*held[S]{h}
	for len(todo) > 0 {
		x := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		kids := v.kids[x.hash()]
		if len(kids) == 0 {
			out = append(out, x)
		}
		todo = append(todo, kids...)
	}
	return out
}

// evict takes out blocks, in the order of the leaves, until the limits hold, and shows each to gone.
func (v *volatile[S]) evict(gone func(*held[S])) {
	for len(v.by) > v.max || v.bytes > v.bytesMax {
		h := v.leaves.all[0]
		gone(h)
		v.remove(h)
	}
}

// leaves is a heap of the blocks without successors, the oldest arrival on top. Only leaves go, so no chain loses its middle; and a chain that
// somebody still adds to outlives those that were left, however good they are.
type leaves[S any] struct {
	all []*held[S]
}

// Len implements heap.Interface.
func (l *leaves[S]) Len() int { return len(l.all) }

// Less implements heap.Interface.
func (l *leaves[S]) Less(i, j int) bool { return l.all[i].seq < l.all[j].seq }

// Swap implements heap.Interface.
func (l *leaves[S]) Swap(i, j int) {
	l.all[i], l.all[j] = l.all[j], l.all[i]
	l.all[i].leaf, l.all[j].leaf = i, j
}

// Push implements heap.Interface.
func (l *leaves[S]) Push(x any) {
	h := x.(*held[S])
	h.leaf = len(l.all)
	l.all = append(l.all, h)
}

// Pop implements heap.Interface.
func (l *leaves[S]) Pop() any {
	n := len(l.all) - 1
	h := l.all[n]
	l.all[n] = nil
	l.all = l.all[:n]
	h.leaf = -1
	return h
}
