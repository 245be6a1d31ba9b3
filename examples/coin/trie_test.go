package coin

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/internal/long"
)

type table = map[Address]Account

// naiveRoot computes the root of a map from the definition, with no trie: the model of the clever structure.
func naiveRoot(m table, depth int) chain.Hash {
	if len(m) == 0 {
		return chain.Hash{}
	}
	if len(m) == 1 {
		for a, x := range m {
			b := append([]byte{0}, a[:]...)
			b = binary.BigEndian.AppendUint64(b, x.Balance)
			return chain.HashOf(binary.BigEndian.AppendUint64(b, x.Next))
		}
	}
	var parts [16]table
	for a, x := range m {
		path := chain.HashOf(a[:])
		d := int(path[depth/2]>>(4*(1-depth%2))) % 16
		if parts[d] == nil {
			parts[d] = table{}
		}
		parts[d][a] = x
	}
	var set uint16
	var hashes []byte
	for d, part := range parts {
		if part != nil {
			h := naiveRoot(part, depth+1)
			set |= 1 << d
			hashes = append(hashes, h[:]...)
		}
	}
	return chain.HashOf(append(binary.BigEndian.AppendUint16([]byte{1}, set), hashes...))
}

func contentOf(t *trie) table {
	m := table{}
	t.all(func(a Address, x Account) bool { m[a] = x; return true })
	return m
}

// crowd are addresses of which some share long paths, since the hash of an address is what the trie goes by.
var crowd = func() []Address {
	var as []Address
	for i := range 20_000 {
		var a Address
		binary.BigEndian.PutUint32(a[:], uint32(i))
		if h := chain.HashOf(a[:]); h[0] == 0 || i < 30 {
			as = append(as, a)
		}
	}
	return as
}()

// The trie is the map: same accounts, and the root that follows from the definition; older versions stay as they were.
func TestTrieIsAMap(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var at *trie
		m := table{}
		var versions []*trie
		var roots []chain.Hash
		for range rapid.IntRange(0, 40).Draw(rt, "steps") {
			a := rapid.SampledFrom(crowd).Draw(rt, "address")
			x := Account{Balance: rapid.Uint64().Draw(rt, "balance"), Next: rapid.Uint64Range(0, 2).Draw(rt, "next")}
			require.Equal(rt, m[a], at.get(a))
			at, m[a] = at.put(a, x), x
			if rapid.Bool().Draw(rt, "ask") {
				versions, roots = append(versions, at), append(roots, at.root())
				require.Equal(rt, naiveRoot(m, 0), at.root())
			}
		}
		require.Equal(rt, m, contentOf(at))
		require.Equal(rt, naiveRoot(m, 0), at.root())
		for i, v := range versions {
			require.Equal(rt, naiveRoot(contentOf(v), 0), roots[i])
		}
	})
}

// Two tries have one root if and only if they hold the same, whatever the order and the detours of their making.
func TestRootFollowsContent(t *testing.T) {
	seen := map[chain.Hash]table{}
	rapid.Check(t, func(rt *rapid.T) {
		m := table{}
		for _, a := range rapid.SliceOfN(rapid.SampledFrom(crowd), 0, 12).Draw(rt, "addresses") {
			m[a] = Account{rapid.Uint64Range(0, 2).Draw(rt, "balance"), rapid.Uint64Range(0, 2).Draw(rt, "next")}
		}
		order := rapid.Permutation(slices.SortedFunc(maps.Keys(m), compare)).Draw(rt, "order")
		var at *trie
		for _, a := range order {
			if rapid.Bool().Draw(rt, "detour") {
				at = at.put(a, Account{Balance: 99})
				at.root()
			}
			at = at.put(a, m[a])
		}
		root := at.root()
		if before, ok := seen[root]; ok {
			require.Equal(rt, before, m)
		}
		seen[root] = m
		require.Equal(rt, naiveRoot(m, 0), root)
	})
}

func compare(a, b Address) int { return slices.Compare(a[:], b[:]) }

func TestRootGolden(t *testing.T) {
	var s State
	require.Equal(t, chain.Hash{}, s.Root())
	s = s.credit(Address{1}, 5)
	require.Equal(t, "32610fb09fa79094b29cd8f2a9a6d291e648c745660185fa2d8bcf2652c17ac4", s.Root().String())
	s = s.credit(Address{2}, 6)
	require.Equal(t, "673cbd751ae439c4891decbff137e51ec7972e6d5b01b4357d01d81d5d64d92e", s.Root().String())
}

// judge tries a way to compute a root on every content of up to three accounts, in every order: one content must have one root, another content another.
func judge(root func(order []Address, m table) chain.Hash) error {
	roots, contents := map[string]chain.Hash{}, map[chain.Hash]string{}
	for n := range 5 * 5 * 5 {
		m := table{}
		for i, code := range []int{n % 5, n / 5 % 5, n / 25} {
			if code < 4 {
				m[crowd[i]] = Account{Balance: uint64(code % 2), Next: uint64(code / 2)}
			}
		}
		content := fmt.Sprint(n)
		for _, p := range [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
			var order []Address
			for _, i := range p {
				if _, ok := m[crowd[i]]; ok {
					order = append(order, crowd[i])
				}
			}
			h := root(order, m)
			if was, ok := roots[content]; ok && was != h {
				return fmt.Errorf("content %s has two roots", content)
			}
			if other, ok := contents[h]; ok && other != content {
				return fmt.Errorf("contents %s and %s have one root", content, other)
			}
			roots[content], contents[h] = h, content
		}
	}
	return nil
}

// Planted: roots that leave out a part of the content, or depend on the order, are found by the judge; ours is not.
func TestRootJudged(t *testing.T) {
	ours := func(order []Address, m table) chain.Hash {
		var at *trie
		for _, a := range order {
			at = at.put(a, Account{Balance: 7}).put(a, m[a])
		}
		return at.root()
	}
	require.NoError(t, judge(ours))
	for name, spoil := range map[string]func(*Address, *Account){
		"next":    func(_ *Address, x *Account) { x.Next = 0 },
		"balance": func(_ *Address, x *Account) { x.Balance = 0 },
		"address": func(a *Address, _ *Account) { *a = Address{} },
	} {
		require.Error(t, judge(func(order []Address, m table) chain.Hash {
			var at *trie
			for _, a := range order {
				x := m[a]
				spoil(&a, &x)
				at = at.put(a, x)
			}
			return at.root()
		}), "without %s", name)
	}
	require.Error(t, judge(func(order []Address, m table) chain.Hash {
		var h chain.Hash
		for _, a := range order {
			h = chain.HashOf(fmt.Append(h[:], a, m[a]))
		}
		return h
	}), "by order")
}

// Any number of goroutines may ask for roots of states that share parts.
func TestRootConcurrently(t *testing.T) {
	var at *trie
	m := table{}
	for i, a := range crowd {
		m[a] = Account{Balance: uint64(i)}
		at = at.put(a, m[a])
	}
	want := naiveRoot(m, 0)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if at.put(crowd[3], m[crowd[3]]).root() != want || at.root() != want {
				t.Error("another root")
			}
		})
	}
	wg.Wait()
}

// A hundred thousand accounts: look-ups stay shallow, and the root is that of the definition.
func TestManyAccounts(t *testing.T) {
	n := long.N(5_000, 100_000)
	r := rand.New(rand.NewPCG(1, 2))
	m := table{}
	var at *trie
	for range n {
		var a Address
		binary.BigEndian.PutUint64(a[:], r.Uint64())
		m[a] = Account{Balance: r.Uint64()}
		at = at.put(a, m[a])
	}
	require.Equal(t, naiveRoot(m, 0), at.root())
	deepest := 0
	var walk func(t *trie, depth int)
	walk = func(t *trie, depth int) {
		deepest = max(deepest, depth)
		for _, k := range t.kids {
			walk(k, depth+1)
		}
	}
	walk(at, 0)
	require.Less(t, deepest, 12, "of %d accounts", n)
	for a, x := range m {
		require.Equal(t, x, at.get(a))
	}
}
