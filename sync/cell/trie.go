package cell

import "hash/maphash"

// trie is an immutable map; nil is the empty one. Each node has a pair, and below it those whose hashes go on alike,
// three bits a level. Nothing that can be observed depends on the hashes.
type trie[K comparable, V any] struct {
	hash  uint64
	key   K
	value V
	kids  [8]*trie[K, V]
}

func digit(hash uint64, depth int) int { return int(hash>>(3*depth)) & 7 }

func (t *trie[K, V]) get(seed maphash.Seed, key K) (v V, ok bool) {
	if t == nil {
		return v, false
	}
	hash := maphash.Comparable(seed, key)
	for depth := 0; t != nil; depth++ {
		if t.hash == hash && t.key == key {
			return t.value, true
		}
		t = t.kids[digit(hash, depth)]
	}
	return v, false
}

// with has v for key.
func (t *trie[K, V]) with(seed maphash.Seed, key K, v V) *trie[K, V] {
	return t.put(&trie[K, V]{hash: maphash.Comparable(seed, key), key: key, value: v}, 0)
}

func (t *trie[K, V]) put(n *trie[K, V], depth int) *trie[K, V] {
	if t == nil {
		return &trie[K, V]{hash: n.hash, key: n.key, value: n.value}
	}
	c := *t
	if t.hash == n.hash && t.key == n.key {
		c.value = n.value
		return &c
	}
	d := digit(n.hash, depth)
	c.kids[d] = t.kids[d].put(n, depth+1)
	return &c
}

// without has nothing for key.
func (t *trie[K, V]) without(seed maphash.Seed, key K) *trie[K, V] {
	if t == nil {
		return nil
	}
	return t.cut(maphash.Comparable(seed, key), key, 0)
}

func (t *trie[K, V]) cut(hash uint64, key K, depth int) *trie[K, V] {
	if t == nil {
		return nil
	}
	if t.hash == hash && t.key == key {
		return t.topless()
	}
	d := digit(hash, depth)
	kid := t.kids[d].cut(hash, key, depth+1)
	if kid == t.kids[d] {
		return t
	}
	c := *t
	c.kids[d] = kid
	return &c
}

// topless has all that is below t. Whoever is below may stand in t's place.
func (t *trie[K, V]) topless() *trie[K, V] {
	for d, kid := range t.kids {
		if kid != nil {
			c := trie[K, V]{hash: kid.hash, key: kid.key, value: kid.value, kids: t.kids}
			c.kids[d] = kid.topless()
			return &c
		}
	}
	return nil
}
