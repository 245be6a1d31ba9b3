package coin

import (
	"slices"
	"sync/atomic"
)

// unfolded is how many of the newest states in a row keep their trie. Rollbacks are rarely deeper.
const unfolded = 32

// version is the accounts of one state. That of a block that has more than unfolded blocks after it is folded: it gives up its trie for the accounts
// that the next block changed, as they were, which takes a fraction of the paths that changed with them. Who asks for more than an account then pays for
// the blocks between. What it holds never changes, only how; safe for concurrent use.
//
// A folded version keeps those after it in memory, up to one that is not folded. States of a genesis or a snapshot, which their maker may keep for
// ever, have no version and are never folded.
type version struct {
	full   atomic.Pointer[trie] // nil when folded, or without accounts
	folded atomic.Pointer[fold] // set before full is given up
	prev   atomic.Pointer[version]
}

// fold is what one block changed.
type fold struct {
	next *version
	undo []record // in the order of the trie
}

// record is an account as it was; none if there was none.
type record struct {
	address Address
	none    bool
	account Account
}

// trie is the accounts. Of a folded version it is made anew each time.
func (v *version) trie() *trie {
	var t *trie
	var passed []*fold
	for ; v != nil; v = passed[len(passed)-1].next {
		if t = v.full.Load(); t != nil {
			break
		}
		f := v.folded.Load()
		if f == nil {
			break
		}
		passed = append(passed, f)
	}
	for _, f := range slices.Backward(passed) {
		for _, r := range f.undo {
			if r.none {
				t = t.without(r.address)
			} else {
				t = t.put(r.address, r.account)
			}
		}
	}
	return t
}

// get is an account: the oldest change after v tells what it was.
func (v *version) get(a Address) Account {
	for v != nil {
		if t := v.full.Load(); t != nil {
			return t.get(a)
		}
		f := v.folded.Load()
		if f == nil {
			break
		}
		for _, r := range f.undo {
			if r.address == a {
				return r.account
			}
		}
		v = f.next
	}
	return Account{}
}

// after is the version of a block after prev's, nil if that has none. It folds the one that is now far enough back.
func (t *trie) after(prev *version) *version {
	v := new(version)
	v.full.Store(t)
	v.prev.Store(prev)
	at, next := prev, v
	for range unfolded {
		if at == nil {
			return v
		}
		at, next = at.prev.Load(), at
	}
	if at != nil {
		at.fold(next)
	}
	return v
}

// fold gives up the trie. The first of several callers wins: any successor will do.
func (v *version) fold(next *version) {
	if old, new := v.full.Load(), next.full.Load(); old != nil && new != nil {
		if v.folded.CompareAndSwap(nil, &fold{next, slices.Clone(changed(nil, old, new))}) {
			v.full.Store(nil)
		}
	}
	v.prev.Store(nil)
}

// changed appends what new changes of old, as it was there. It looks only at what they do not share.
func changed(out []record, old, new *trie) []record {
	switch {
	case old == new || new == nil: // no account ever goes
		return out
	case old != nil && old.kids != nil && new.kids != nil:
		for d := range 16 {
			out = changed(out, old.child(d), new.child(d))
		}
		return out
	}
	// One of them is at most one account.
	new.all(func(a Address, x Account) bool {
		if old == nil || old.address != a {
			out = append(out, record{address: a, none: true})
		} else if old.account != x {
			out = append(out, record{address: a, account: old.account})
		}
		return true
	})
	return out
}
