package persist_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm/persist"
)

type (
	name   string
	number int16
	digest [32]byte
)

// trieKit runs one kind of keys through the machine. Keys are made from small numbers, so that they meet often.
type trieKit[K comparable] struct {
	empty persist.Trie[K, int]
	key   func(i int) K
}

func (k trieKit[K]) run(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := trieMachine[K]{kit: k, now: k.empty, want: map[K]int{}}
		m.edit = m.now.Edit()
		t.Repeat(map[string]func(*rapid.T){
			"set":    func(t *rapid.T) { m.set(m.draw(t), rapid.Int().Draw(t, "value")) },
			"delete": func(t *rapid.T) { m.delete(m.draw(t)) },
			"show":   func(*rapid.T) { m.show(m.now) },
			"batch":  m.batch,
			"":       func(t *rapid.T) { m.check(t) },
		})
		for _, v := range m.shown {
			v.check(t)
		}
	})
}

type trieMachine[K comparable] struct {
	kit   trieKit[K]
	now   persist.Trie[K, int]
	edit  *persist.TrieEdit[K, int] // follows now, kept over batches
	want  map[K]int
	shown []shownTrie[K]
}

// shownTrie is a version and a copy of what it held when it was shown.
type shownTrie[K comparable] struct {
	trie persist.Trie[K, int]
	want map[K]int
}

func (m *trieMachine[K]) draw(t *rapid.T) K { return m.kit.key(rapid.IntRange(0, 80).Draw(t, "key")) }

func (m *trieMachine[K]) set(k K, v int) {
	m.now = m.now.Set(k, v)
	m.want[k] = v
}

func (m *trieMachine[K]) delete(k K) {
	m.now = m.now.Delete(k)
	delete(m.want, k)
}

func (m *trieMachine[K]) show(t persist.Trie[K, int]) {
	m.shown = append(m.shown, shownTrie[K]{t, maps.Clone(m.want)})
}

// batch changes many keys by an edit, shows values on the way, and goes on with the last.
func (m *trieMachine[K]) batch(t *rapid.T) {
	e := m.now.Edit()
	for range rapid.IntRange(1, 40).Draw(t, "changes") {
		k := m.draw(t)
		switch rapid.IntRange(0, 9).Draw(t, "what") {
		case 0:
			m.show(e.Trie())
		case 1, 2, 3:
			e.Delete(k)
			delete(m.want, k)
		default:
			v := rapid.Int().Draw(t, "value")
			e.Set(k, v)
			m.want[k] = v
		}
		v, ok := e.Get(k)
		want, there := m.want[k]
		require.Equal(t, there, ok)
		require.Equal(t, want, v)
		require.Equal(t, len(m.want), e.Len())
	}
	m.now = e.Trie()
}

func (m *trieMachine[K]) check(t require.TestingT) {
	shownTrie[K]{m.now, m.want}.check(t)
	for i := range 81 {
		k := m.kit.key(i)
		v, ok := m.now.Get(k)
		if want, there := m.want[k]; there != ok || want != v {
			require.Equal(t, want, v)
			require.Equal(t, there, ok)
		}
	}
}

func (s shownTrie[K]) check(t require.TestingT) {
	require.NoError(t, s.trie.Check())
	require.Equal(t, len(s.want), s.trie.Len())
	got := map[K]int{}
	for k, v := range s.trie.All() {
		if _, twice := got[k]; twice {
			require.Fail(t, "yielded twice")
		}
		got[k] = v
	}
	require.True(t, maps.Equal(s.want, got), "%v, not %v", got, s.want)
}

// deep gives digests that agree in all bytes but the last, or in all but the first.
func deep(i int) (d digest) {
	if d[31] = byte(i); i%3 == 0 {
		d[0] = byte(i)
	}
	return d
}

func TestTrieModel(t *testing.T) {
	ready := func(t *testing.T) {
		t.Run("string", trieKit[name]{key: func(i int) name { return name(fmt.Sprint("key ", i)) }}.run)
		t.Run("integer", trieKit[number]{key: func(i int) number { return number(i - 40) }}.run)
		t.Run("digest", trieKit[digest]{key: deep}.run)
		t.Run("bytes", trieKit[[3]byte]{key: func(i int) [3]byte { return [3]byte{1, byte(i % 3), byte(i)} }}.run)
	}
	t.Run("ready", ready)
	t.Run("strings of one hash", trieKit[string]{persist.Colliding[int](), func(i int) string { return fmt.Sprint(i) }}.run)
	t.Run("one hash", trieKit[int]{persist.NewTrie[int, int](func(int) uint64 { return 7 }), func(i int) int { return i }}.run)
	t.Run("few hashes", trieKit[int]{persist.NewTrie[int, int](func(i int) uint64 { return uint64(i%3) << 62 }), func(i int) int { return i }}.run)
	t.Run("last bits", trieKit[int]{persist.NewTrie[int, int](func(i int) uint64 { return uint64(i) }), func(i int) int { return i / 2 }}.run)
}

// A fault in giving up the right to change is noticed by the model: the test above can fail.
func TestPlantedEdit(t *testing.T) {
	e := persist.Trie[int, int]{}.Edit()
	for i := range 100 {
		e.Set(i, i)
	}
	honest, faulty := e.Trie(), persist.Trie[int, int]{}
	want := maps.Collect(honest.All())
	e.Set(1, 1)
	faulty = e.TrieShowing()
	for i := range 100 {
		e.Set(i, -i)
	}
	require.Equal(t, want, maps.Collect(honest.All()))
	require.NotEqual(t, want, maps.Collect(faulty.All()), "the planted fault did nothing")
}

// Iteration follows from the content, not from its history, and goes by ascending hash.
func TestTrieOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfDistinct(rapid.String(), rapid.ID).Draw(t, "keys")
		gone := rapid.SliceOf(rapid.String()).Draw(t, "gone")
		var a persist.Trie[string, int]
		for _, k := range keys {
			a = a.Set(k, 1)
		}
		b := persist.Trie[string, int]{}.Edit()
		for _, k := range append(gone, rapid.Permutation(keys).Draw(t, "again")...) {
			b.Set(k, 1)
		}
		for _, k := range gone {
			if !slices.Contains(keys, k) {
				b.Delete(k)
			}
		}
		order := orderOf(a)
		require.Equal(t, order, orderOf(b.Trie()))
		require.True(t, slices.IsSortedFunc(order, func(x, y string) int {
			if persist.HashString(x) < persist.HashString(y) {
				return -1
			}
			return 1
		}))
	})
}

func orderOf[K comparable, V any](t persist.Trie[K, V]) (keys []K) {
	for k := range t.All() {
		keys = append(keys, k)
	}
	return keys
}

// Digests come in their own order.
func TestTrieOwnBits(t *testing.T) {
	var tr persist.Trie[digest, int]
	for i := range 5000 {
		var d digest
		binary.LittleEndian.PutUint64(d[:], persist.HashUint64(uint64(i)))
		d[20] = byte(i)
		tr = tr.Set(d, i)
	}
	keys := orderOf(tr)
	require.Len(t, keys, 5000)
	require.True(t, slices.IsSortedFunc(keys, func(a, b digest) int { return strings.Compare(string(a[:]), string(b[:])) }))
}

// The depths that the package comment states, for keys that a stranger chose.
func TestTrieDepth(t *testing.T) {
	t.Run("integers", func(t *testing.T) {
		e := persist.Trie[uint64, int]{}.Edit()
		for i := range 2000 { // the inverse of a bijection, of neighbours
			e.Set(unmix(uint64(i)), i)
		}
		require.NoError(t, e.Trie().Check())
		require.LessOrEqual(t, e.Trie().Depth(), 13)
		require.Greater(t, e.Trie().Depth(), 12, "the keys are not as bad as they could be")
	})
	t.Run("digests", func(t *testing.T) {
		e := persist.Trie[digest, int]{}.Edit()
		for i := range 256 {
			e.Set(digest{31: byte(i)}, i)
		}
		require.NoError(t, e.Trie().Check())
		require.Equal(t, 52, e.Trie().Depth())
	})
	t.Run("strings", func(t *testing.T) {
		e := persist.Colliding[int]().Edit()
		for i := range 2000 {
			e.Set(fmt.Sprint(i), i)
		}
		tr := e.Trie()
		require.NoError(t, tr.Check())
		require.Equal(t, 2000, tr.Len())
		require.Less(t, tr.Depth(), 13+8)
		for i := range 2000 {
			v, ok := tr.Get(fmt.Sprint(i))
			require.True(t, ok)
			require.Equal(t, i, v)
		}
	})
	t.Run("random", func(t *testing.T) {
		e := persist.Trie[uint64, int]{}.Edit()
		for i := range 20000 {
			e.Set(uint64(i), i)
		}
		require.LessOrEqual(t, e.Trie().Depth(), 7)
	})
}

// unmix inverts HashUint64.
func unmix(x uint64) uint64 {
	x ^= x>>31 ^ x>>62
	x *= inverse(0x94d049bb133111eb)
	x ^= x>>27 ^ x>>54
	x *= inverse(0xbf58476d1ce4e5b9)
	return x ^ x>>30 ^ x>>60
}

// inverse is modulo 2^64.
func inverse(a uint64) uint64 {
	x := a
	for range 6 {
		x *= 2 - a*x
	}
	return x
}

func TestUnmix(t *testing.T) {
	for _, x := range []uint64{0, 1, 77, math.MaxUint64, 1 << 63} {
		require.Equal(t, x, persist.HashUint64(unmix(x)))
		require.Equal(t, x, unmix(persist.HashUint64(x)))
	}
}

// Keys of one given hash: the operations work, and cost what is stated, the length of their list.
func TestTrieOneHash(t *testing.T) {
	tr := persist.NewTrie[int, int](func(int) uint64 { return math.MaxUint64 })
	for i := range 500 {
		tr = tr.Set(i, i)
	}
	require.Equal(t, 14, tr.Depth())
	for i := range 500 {
		if i%7 != 0 {
			tr = tr.Delete(i)
		}
	}
	require.NoError(t, tr.Check())
	require.Equal(t, 72, tr.Len())
	require.True(t, slices.IsSorted(orderOf(tr)), "in the order in which they came")
}

func TestNoReadyHash(t *testing.T) {
	require.PanicsWithValue(t, "persist: no ready hash for float64: give one", func() { persist.Trie[float64, int]{}.Set(1, 1) })
	require.NotPanics(t, func() { persist.Trie[float64, int]{}.Delete(1) })
	_, ok := persist.Trie[float64, int]{}.Get(1)
	require.False(t, ok)
}

// FuzzTrie reads changes of two tries with few hashes from bytes and compares with a map.
func FuzzTrie(f *testing.F) {
	f.Add([]byte("abcabcABC"))
	f.Add(slices.Repeat([]byte{1, 0x81, 33, 0xa1}, 50))
	f.Fuzz(func(t *testing.T, ops []byte) {
		tr := persist.NewTrie[byte, int](func(b byte) uint64 { return uint64(b&0x60) << 57 })
		e := persist.Trie[byte, int]{}.Edit()
		want := map[byte]int{}
		for i, op := range ops[:min(len(ops), long.N(200, 4000))] {
			if k := op & 0x7f; op >= 0x80 {
				tr = tr.Delete(k)
				e.Delete(k)
				delete(want, k)
			} else {
				tr = tr.Set(k, i)
				e.Set(k, i)
				want[k] = i
			}
		}
		for _, tr := range []persist.Trie[byte, int]{tr, e.Trie()} {
			require.NoError(t, tr.Check())
			require.Equal(t, want, maps.Collect(tr.All()))
		}
	})
}
