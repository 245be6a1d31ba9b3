package tmap

// bucketMax is how many entries a bucket has before it becomes a table. Buckets of keys whose hashes cannot be told apart
// have more.
const bucketMax = 12

// entry is a key with its value. hash is the first word of the key's.
type entry[K comparable, V any] struct {
	hash  uint64
	key   K
	value V
}

// bucket is a list of entries in the order of their keys' words; never changed.
type bucket[K comparable, V any] []entry[K, V]

// find is the place of a key.
func (b bucket[K, V]) find(hash uint64, key K) (i int, ok bool) {
	for i := range b {
		if b[i].hash == hash && b[i].key == key {
			return i, true
		}
	}
	return 0, false
}

// with is b with an entry replaced or, in its place by hash, added.
func (m *Map[K, V]) with(b bucket[K, V], e entry[K, V]) (out bucket[K, V], added bool) {
	if i, ok := b.find(e.hash, e.key); ok {
		out = make(bucket[K, V], len(b))
		copy(out, b)
		out[i] = e
		return out, false
	}
	i := 0
	for i < len(b) && !m.less(&e, &b[i]) {
		i++
	}
	out = make(bucket[K, V], len(b)+1)
	copy(out, b[:i])
	out[i] = e
	copy(out[i+1:], b[i:])
	return out, true
}

// less compares by words.
func (m *Map[K, V]) less(a, b *entry[K, V]) bool {
	if a.hash != b.hash {
		return a.hash < b.hash
	}
	for i := 1; i < m.hash.Words(); i++ {
		if x, y := m.hash.Word(a.key, i), m.hash.Word(b.key, i); x != y {
			return x < y
		}
	}
	return false
}
