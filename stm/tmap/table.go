package tmap

import (
	"slices"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
)

const (
	rootBits  = 6 // of the first word go to the roots
	tableBits = 4 // and then so many to each table
	wordBits  = 64
)

// table spreads the keys that come to it by their next digit.
type table[K comparable, V any] [1 << tableBits]stm.Var[node[K, V]]

// node is what a Var holds: a bucket, or a table in its place. The zero node is an empty bucket. Every table has an entry
// somewhere below it, at the end of every transaction.
type node[K comparable, V any] struct {
	table  *table[K, V]
	bucket bucket[K, V]
}

func (n node[K, V]) empty() bool { return n.table == nil && len(n.bucket) == 0 }

// collect appends the buckets below n, in order.
func (n node[K, V]) collect(tx *stm.Tx, all []bucket[K, V]) []bucket[K, V] {
	if n.table == nil {
		if len(n.bucket) == 0 {
			return all
		}
		return append(all, n.bucket)
	}
	for i := range n.table {
		all = n.table[i].Get(tx).collect(tx, all)
	}
	return all
}

// way is a walk down, digit by digit of a key's words.
type way[K comparable] struct {
	hash *persist.Hash[K]
	word uint64 // what is left of the word, at the top
	left int    // bits of it
	next int    // the word after it
}

// start is the way of a key below the roots.
func start[K comparable](h *persist.Hash[K], first uint64) way[K] {
	return way[K]{h, first << rootBits, wordBits - rootBits, 1}
}

// ends reports whether there are no more digits: then keys cannot be told apart.
func (w *way[K]) ends() bool { return w.left <= 0 && w.next == w.hash.Words() }

// digit is the next digit of a key that is on this way.
func (w *way[K]) digit(key K) uint64 {
	if w.left <= 0 {
		w.word, w.left = w.hash.Word(key, w.next), wordBits
		w.next++
	}
	d := w.word >> (wordBits - tableBits)
	w.word <<= tableBits
	w.left -= tableBits
	return d
}

// of is w for another key that has come the same way.
func (w way[K]) of(key K, first uint64) way[K] {
	if w.left <= 0 {
		return w // the next word will be its own
	}
	if w.word = first; w.next > 1 {
		w.word = w.hash.Word(key, w.next-1)
	}
	w.word <<= wordBits - w.left
	return w
}

// place is where a key is, or would be.
type place[K comparable, V any] struct {
	hash   uint64
	at     *stm.Var[node[K, V]]
	bucket bucket[K, V]
	below  way[K] // the digits after those that led here
}

func (m *Map[K, V]) find(tx *stm.Tx, key K) place[K, V] {
	first := m.hash.Word(key, 0)
	p := place[K, V]{hash: first, at: &m.roots[first>>(wordBits-rootBits)], below: start(m.hash, first)}
	for {
		n := p.at.Get(tx)
		if n.table == nil {
			p.bucket = n.bucket
			return p
		}
		p.at = &n.table[p.below.digit(key)]
	}
}

// put sets an entry at its place.
func (m *Map[K, V]) put(tx *stm.Tx, p place[K, V], e entry[K, V]) {
	b, added := m.with(p.bucket, e)
	if added {
		m.count(tx, e.hash, 1)
	}
	p.at.Set(tx, m.grown(tx, b, p.below))
}

// grown is a bucket as a node: as a table, if it is too long and its keys can be told apart.
func (m *Map[K, V]) grown(tx *stm.Tx, b bucket[K, V], below way[K]) node[K, V] {
	if len(b) <= bucketMax || below.ends() {
		return node[K, V]{bucket: b}
	}
	t := new(table[K, V])
	if m.label != "" {
		for i := range t {
			t[i].Label(m.label)
		}
	}
	for from := 0; from < len(b); {
		w := below.of(b[from].key, b[from].hash)
		d := w.digit(b[from].key)
		to := from + 1
		for ; to < len(b); to++ {
			if w := below.of(b[to].key, b[to].hash); w.digit(b[to].key) != d {
				break
			}
		}
		t[d].Set(tx, m.grown(tx, slices.Clone(b[from:to]), w))
		from = to
	}
	return node[K, V]{table: t}
}

// tidy removes the tables on the way of a key that have no entries any more, from the lowest up.
func (m *Map[K, V]) tidy(tx *stm.Tx, key K, first uint64) {
	above := []*stm.Var[node[K, V]]{&m.roots[first>>(wordBits-rootBits)]}
	w := start(m.hash, first)
	var tables []*table[K, V]
	for {
		n := above[len(above)-1].Get(tx)
		if n.table == nil {
			break
		}
		tables = append(tables, n.table)
		above = append(above, &n.table[w.digit(key)])
	}
	for i := len(tables) - 1; i >= 0 && tables[i].empty(tx); i-- {
		above[i].Set(tx, node[K, V]{})
	}
}

func (t *table[K, V]) empty(tx *stm.Tx) bool {
	for i := range t {
		if n := t[i].Get(tx); !n.empty() {
			return false
		}
	}
	return true
}
