package persist

import (
	"iter"
	"math/bits"
)

// Trie is a persistent map. The zero Trie is empty and ready if K has a ready hash. Iteration is in the order of hashes,
// and among keys of one hash in the order in which they came.
type Trie[K comparable, V any] struct {
	root *branch[K, V]
	n    int
	hash *Hash[K] // nil until the first Set of a zero Trie
}

// NewTrie is an empty Trie with a hash of the caller's, which must be pure and the same at every run.
func NewTrie[K comparable, V any](hash func(K) uint64) Trie[K, V] {
	return Trie[K, V]{hash: HashBy(hash)}
}

// Len is the number of keys.
func (t Trie[K, V]) Len() int { return t.n }

// Get is the value of a key, and whether there is one.
func (t Trie[K, V]) Get(key K) (v V, ok bool) {
	b := t.root
	if b == nil {
		return v, false
	}
	digits, left := t.hash.first(key), perWord
	for i := 1; ; {
		bit := digit(digits)
		if b.below&bit == 0 {
			if b.here&bit == 0 {
				return v, false
			}
			l := &b.leaves[index(b.here, bit)]
			if l.key != key {
				return v, false
			}
			return l.value, true
		}
		b = b.kids[index(b.below, bit)]
		digits <<= digitBits
		if left--; left == 0 {
			if i == t.hash.words {
				return b.among(key)
			}
			digits, left = t.hash.more(key, i), perWord
			i++
		}
	}
}

// Set is t with a value for a key.
func (t Trie[K, V]) Set(key K, v V) Trie[K, V] {
	t.set(nil, key, v)
	return t
}

// Delete is t without a key; t itself if it has none such.
func (t Trie[K, V]) Delete(key K) Trie[K, V] {
	t.delete(nil, key)
	return t
}

// All yields every key and value.
func (t Trie[K, V]) All() iter.Seq2[K, V] {
	return func(yield func(K, V) bool) { t.root.all(yield) }
}

// Edit starts a batch of changes from t.
func (t Trie[K, V]) Edit() *TrieEdit[K, V] { return &TrieEdit[K, V]{trie: t} }

func (t *Trie[K, V]) set(own *owner, key K, v V) {
	if t.hash == nil {
		t.hash = ReadyHash[K]()
	}
	c := change[K, V]{hash: t.hash, own: own}
	t.root = c.put(t.root, &leaf[K, V]{key, v}, t.hash.first(key), 0)
	if c.grown {
		t.n++
	}
}

func (t *Trie[K, V]) delete(own *owner, key K) {
	if t.root == nil {
		return
	}
	c := change[K, V]{hash: t.hash, own: own}
	root, found := c.drop(t.root, key, t.hash.first(key), 0)
	if !found {
		return
	}
	t.n--
	if t.root = root; t.n == 0 {
		t.root = nil
	}
}

// TrieEdit is a Trie under change, of one goroutine. Its value so far is had at any time, and is not changed by what the
// edit does later.
type TrieEdit[K comparable, V any] struct {
	trie Trie[K, V]
	own  *owner // nil: has made nothing that is not shown
}

// Len is the number of keys.
func (e *TrieEdit[K, V]) Len() int { return e.trie.n }

// Get is the value of a key, and whether there is one.
func (e *TrieEdit[K, V]) Get(key K) (V, bool) { return e.trie.Get(key) }

// Set gives a key a value.
func (e *TrieEdit[K, V]) Set(key K, v V) {
	e.begin()
	e.trie.set(e.own, key, v)
}

// Delete removes a key, if it is there.
func (e *TrieEdit[K, V]) Delete(key K) {
	e.begin()
	e.trie.delete(e.own, key)
}

// Trie is the value so far.
func (e *TrieEdit[K, V]) Trie() Trie[K, V] {
	e.own = nil
	return e.trie
}

func (e *TrieEdit[K, V]) begin() {
	if e.own == nil {
		e.own = new(owner)
	}
}

const (
	digitBits = 5
	perWord   = 13 // digits of a word of 64 bits: twelve of five bits, then one of four
)

// digit is the bit, among 32, that the leading digit of a word takes.
func digit(word uint64) uint32 { return 1 << (word >> (64 - digitBits)) }

// index is the place of a bit's entry in a list that has one for each bit of the set.
func index(set, bit uint32) int { return bits.OnesCount32(set & (bit - 1)) }
