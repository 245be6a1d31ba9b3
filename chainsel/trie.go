package chainsel

import (
	"math/bits"

	"github.com/synodkit/synod/chain"
)

// trie is a persistent map from hashes, so that a version of it can stand in a Var: a change copies the path to the root, older versions
// keep their content. It branches on five bits of the hash at a time; hashes are uniform, so it needs no balance. Whoever grinds hashes for
// common prefixes makes it 52 levels deep at worst.
type trie[V any] struct {
	root *branch[V]
	n    int
}

// branch holds its entries in the order of their bits in the map.
type branch[V any] struct {
	used uint32
	kids []slot[V]
}

// slot is a branch or, when sub is nil, a leaf.
type slot[V any] struct {
	sub  *branch[V]
	leaf *leaf[V]
}

type leaf[V any] struct {
	key   chain.Hash
	value V
}

// digit is the bit in a branch's map that key takes at a depth.
func digit(key *chain.Hash, depth int) uint32 {
	at := depth * 5
	i := at >> 3
	word := uint32(key[i]) << 8
	if i+1 < len(key) {
		word |= uint32(key[i+1])
	}
	return 1 << (word >> (11 - at&7) & 31)
}

func (b *branch[V]) index(bit uint32) int { return bits.OnesCount32(b.used & (bit - 1)) }

// len is the number of entries.
func (t trie[V]) len() int { return t.n }

func (t trie[V]) find(key chain.Hash) (v V, ok bool) {
	b := t.root
	for depth := 0; b != nil; depth++ {
		bit := digit(&key, depth)
		if b.used&bit == 0 {
			return v, false
		}
		s := b.kids[b.index(bit)]
		if s.sub == nil {
			if s.leaf.key != key {
				return v, false
			}
			return s.leaf.value, true
		}
		b = s.sub
	}
	return v, false
}

// with is t with key set to v.
func (t trie[V]) with(key chain.Hash, v V) trie[V] {
	root, grown := t.root.with(&leaf[V]{key, v}, 0)
	if grown {
		t.n++
	}
	t.root = root
	return t
}

func (b *branch[V]) with(l *leaf[V], depth int) (out *branch[V], grown bool) {
	bit := digit(&l.key, depth)
	if b == nil {
		return &branch[V]{bit, []slot[V]{{leaf: l}}}, true
	}
	i := b.index(bit)
	if b.used&bit == 0 {
		kids := make([]slot[V], len(b.kids)+1)
		copy(kids, b.kids[:i])
		kids[i].leaf = l
		copy(kids[i+1:], b.kids[i:])
		return &branch[V]{b.used | bit, kids}, true
	}
	kids := make([]slot[V], len(b.kids))
	copy(kids, b.kids)
	switch old := kids[i]; {
	case old.sub != nil:
		kids[i].sub, grown = old.sub.with(l, depth+1)
	case old.leaf.key == l.key:
		kids[i].leaf = l
	default: // two leaves where one was
		sub, _ := (*branch[V])(nil).with(old.leaf, depth+1)
		sub, grown = sub.with(l, depth+1)
		kids[i] = slot[V]{sub: sub}
	}
	return &branch[V]{b.used, kids}, grown
}

// without is t without key.
func (t trie[V]) without(key chain.Hash) trie[V] {
	root, ok := t.root.without(&key, 0)
	if ok {
		t.root, t.n = root, t.n-1
	}
	return t
}

func (b *branch[V]) without(key *chain.Hash, depth int) (out *branch[V], found bool) {
	if b == nil {
		return nil, false
	}
	bit := digit(key, depth)
	if b.used&bit == 0 {
		return b, false
	}
	i := b.index(bit)
	s := b.kids[i]
	if s.sub != nil {
		sub, ok := s.sub.without(key, depth+1)
		if !ok {
			return b, false
		}
		s = slot[V]{sub: sub}
		if sub != nil && len(sub.kids) == 1 && sub.kids[0].sub == nil { // a lone leaf moves up
			s = sub.kids[0]
		}
	} else if s.leaf.key != *key {
		return b, false
	} else {
		s = slot[V]{}
	}
	return b.replaced(bit, i, s), true
}

// replaced is b with another slot at i; nil if nothing is left.
func (b *branch[V]) replaced(bit uint32, i int, s slot[V]) *branch[V] {
	if s.sub != nil || s.leaf != nil {
		kids := make([]slot[V], len(b.kids))
		copy(kids, b.kids)
		kids[i] = s
		return &branch[V]{b.used, kids}
	}
	if len(b.kids) == 1 {
		return nil
	}
	kids := make([]slot[V], 0, len(b.kids)-1)
	kids = append(append(kids, b.kids[:i]...), b.kids[i+1:]...)
	return &branch[V]{b.used &^ bit, kids}
}
