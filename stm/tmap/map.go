package tmap

import (
	"iter"
	"slices"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
)

// Map is a transactional map. Make it with New or NewBy; it must not be copied.
type Map[K comparable, V any] struct {
	hash  *persist.Hash[K]
	roots [1 << rootBits]stm.Var[node[K, V]]
	sizes [1 << rootBits]*stm.Var[int] // the number of keys is their sum
	label string
}

// New is an empty Map of keys that have a ready hash: strings, integers, arrays of bytes. It panics for others.
func New[K comparable, V any]() *Map[K, V] { return made[K, V](persist.ReadyHash[K]()) }

// NewBy is an empty Map by a hash of the caller's, which must be pure and the same at every run.
func NewBy[K comparable, V any](hash func(K) uint64) *Map[K, V] {
	return made[K, V](persist.HashBy(hash))
}

func made[K comparable, V any](hash *persist.Hash[K]) *Map[K, V] {
	m := &Map[K, V]{hash: hash}
	for i := range m.sizes {
		m.sizes[i] = stm.NewVar(0)
	}
	return m
}

// Label names m's Vars in dumps and traces. It must come before any use of m, which it returns.
func (m *Map[K, V]) Label(name string) *Map[K, V] {
	m.label = name
	for i := range m.roots {
		m.roots[i].Label(name)
		m.sizes[i].Label(name + ".Len")
	}
	return m
}

// Get is the value of a key, and whether there is one.
func (m *Map[K, V]) Get(tx *stm.Tx, key K) (v V, ok bool) {
	p := m.find(tx, key)
	if i, ok := p.bucket.find(p.hash, key); ok {
		return p.bucket[i].value, true
	}
	return v, false
}

// Set gives a key a value.
func (m *Map[K, V]) Set(tx *stm.Tx, key K, v V) {
	p := m.find(tx, key)
	m.put(tx, p, entry[K, V]{p.hash, key, v})
}

// Update sets a key to what f makes of its value, and of whether it has one.
func (m *Map[K, V]) Update(tx *stm.Tx, key K, f func(v V, ok bool) V) {
	p := m.find(tx, key)
	var v V
	i, ok := p.bucket.find(p.hash, key)
	if ok {
		v = p.bucket[i].value
	}
	m.put(tx, p, entry[K, V]{p.hash, key, f(v, ok)})
}

// Delete removes a key, if it is there.
func (m *Map[K, V]) Delete(tx *stm.Tx, key K) {
	p := m.find(tx, key)
	i, ok := p.bucket.find(p.hash, key)
	if !ok {
		return
	}
	m.count(tx, p.hash, -1)
	p.at.Set(tx, node[K, V]{bucket: slices.Concat(p.bucket[:i], p.bucket[i+1:])})
	if len(p.bucket) == 1 {
		m.tidy(tx, key, p.hash)
	}
}

// Len is the number of keys.
func (m *Map[K, V]) Len(tx *stm.Tx) int {
	n := 0
	for _, size := range m.sizes {
		n += size.Get(tx)
	}
	return n
}

// All is the content, as it is now: what is yielded does not change, whenever it is.
func (m *Map[K, V]) All(tx *stm.Tx) iter.Seq2[K, V] {
	var all []bucket[K, V]
	for i := range m.roots {
		all = m.roots[i].Get(tx).collect(tx, all)
	}
	return func(yield func(K, V) bool) {
		for _, b := range all {
			for i := range b {
				if !yield(b[i].key, b[i].value) {
					return
				}
			}
		}
	}
}

// count changes the number of keys, in the part that belongs to a hash. The part goes by the last bits, which tables do not
// go by until they are deep.
func (m *Map[K, V]) count(tx *stm.Tx, hash uint64, by int) {
	size := m.sizes[hash%uint64(len(m.sizes))]
	size.Set(tx, size.Get(tx)+by)
}
