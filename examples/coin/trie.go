package coin

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"sync/atomic"

	"github.com/synodkit/synod/chain"
)

// A trie is a persistent map from addresses to accounts with a hash over all of them: nil, a leaf, or a branch by the next four bits of the
// hash of the address. (Of the hash, since whoever pays chooses the address: nobody can make a path long.) A branch has at least two
// accounts below it, so the form, and with it the root, follows from the content alone.
type trie struct {
	// of a leaf
	address Address
	account Account

	// of a branch: a bit for each child there is, and the children in that order
	bits uint16
	kids []*trie

	hash atomic.Pointer[chain.Hash] // nil until asked for; every computation has the same result
}

func leaf(a Address, x Account) *trie { return &trie{address: a, account: x} }

// nibble is the digit of a path that chooses the child at a depth.
func nibble(path *chain.Hash, depth int) int {
	b := path[depth/2]
	if depth%2 == 0 {
		return int(b >> 4)
	}
	return int(b & 15)
}

// at is the place of a digit's child in kids, and whether there is one.
func (t *trie) at(digit int) (int, bool) {
	bit := uint16(1) << digit
	return bits.OnesCount16(t.bits & (bit - 1)), t.bits&bit != 0
}

// get is the account of an address; the zero Account if it has none.
func (t *trie) get(a Address) Account {
	path := chain.HashOf(a[:])
	for depth := 0; t != nil; depth++ {
		if t.kids == nil {
			if t.address == a {
				return t.account
			}
			break
		}
		i, ok := t.at(nibble(&path, depth))
		if !ok {
			break
		}
		t = t.kids[i]
	}
	return Account{}
}

// child is the one for a digit, nil if there is none.
func (t *trie) child(digit int) *trie {
	if i, ok := t.at(digit); ok {
		return t.kids[i]
	}
	return nil
}

// put is the trie with an account set. It shares all with t but the path to the account.
func (t *trie) put(a Address, x Account) *trie {
	path := chain.HashOf(a[:])
	return t.set(&path, 0, leaf(a, x))
}

func (t *trie) set(path *chain.Hash, depth int, x *trie) *trie {
	switch {
	case t == nil || t.kids == nil && t.address == x.address:
		return x
	case t.kids == nil: // two accounts where one was
		theirs := chain.HashOf(t.address[:])
		one := &trie{bits: 1 << nibble(&theirs, depth), kids: []*trie{t}}
		return one.set(path, depth, x)
	}
	digit := nibble(path, depth)
	i, ok := t.at(digit)
	if !ok {
		return &trie{bits: t.bits | 1<<digit, kids: slices.Insert(slices.Clone(t.kids), i, x)}
	}
	kids := slices.Clone(t.kids)
	kids[i] = kids[i].set(path, depth+1, x)
	return &trie{bits: t.bits, kids: kids}
}

// without is the trie without an account.
func (t *trie) without(a Address) *trie {
	path := chain.HashOf(a[:])
	return t.unset(&path, 0, a)
}

func (t *trie) unset(path *chain.Hash, depth int, a Address) *trie {
	switch {
	case t == nil || t.kids == nil && t.address == a:
		return nil
	case t.kids == nil:
		return t
	}
	digit := nibble(path, depth)
	i, ok := t.at(digit)
	if !ok {
		return t
	}
	kids, bits := slices.Clone(t.kids), t.bits
	if kids[i] = kids[i].unset(path, depth+1, a); kids[i] == nil {
		kids, bits = slices.Delete(kids, i, i+1), bits&^(1<<digit)
	}
	if len(kids) == 1 && kids[0].kids == nil { // one account is a leaf, wherever it is
		return kids[0]
	}
	return &trie{bits: bits, kids: kids}
}

// root is the hash of all accounts; zeros if there is none.
//
//	leaf = sha256(0 | address | balance | next)
//	branch = sha256(1 | bits | hashes of the children)
//
// with big-endian integers of 8 bytes, and bits of 2.
func (t *trie) root() chain.Hash {
	if t == nil {
		return chain.Hash{}
	}
	if h := t.hash.Load(); h != nil {
		return *h
	}
	var room [3 + 16*len(chain.Hash{})]byte
	b := room[:0]
	if t.kids == nil {
		b = append(append(b, 0), t.address[:]...)
		b = binary.BigEndian.AppendUint64(b, t.account.Balance)
		b = binary.BigEndian.AppendUint64(b, t.account.Next)
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 1), t.bits)
		for _, k := range t.kids {
			h := k.root()
			b = append(b, h[:]...)
		}
	}
	h := chain.HashOf(b)
	t.hash.Store(&h)
	return h
}

// all yields every account, in an order that follows from the content; false if it was stopped.
func (t *trie) all(yield func(Address, Account) bool) bool {
	if t == nil {
		return true
	}
	if t.kids == nil {
		return yield(t.address, t.account)
	}
	for _, k := range t.kids {
		if !k.all(yield) {
			return false
		}
	}
	return true
}
