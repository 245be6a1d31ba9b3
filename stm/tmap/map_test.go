package tmap_test

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
	"github.com/synodkit/synod/stm/tmap"
)

type digest [32]byte

// kit runs one kind of keys through the machine.
type kit[K comparable] struct {
	empty func() *tmap.Map[K, int]
	key   func(i int) K
}

// machine is a Map and what it should hold.
type machine[K comparable] struct {
	kit   kit[K]
	m     *tmap.Map[K, int]
	want  map[K]int
	shown []iter.Seq2[K, int]
	then  []map[K]int
}

var errUndo = errors.New("undo")

func (k kit[K]) run(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := machine[K]{kit: k, m: k.empty(), want: map[K]int{}}
		t.Repeat(map[string]func(*rapid.T){
			"transaction": func(t *rapid.T) { m.transaction(t, rapid.IntRange(1, 40).Draw(t, "changes")) },
			"show": func(*rapid.T) {
				m.shown, m.then = append(m.shown, ask(m.m.All)), append(m.then, maps.Clone(m.want))
			},
			"delete most": func(t *rapid.T) {
				spare := rapid.IntRange(0, 80).Draw(t, "spare")
				do(func(tx *stm.Tx) {
					for i := range 81 {
						if i != spare {
							m.m.Delete(tx, k.key(i))
						}
					}
				})
				v, ok := m.want[k.key(spare)]
				if m.want = map[K]int{}; ok {
					m.want[k.key(spare)] = v
				}
			},
			"": func(t *rapid.T) { m.check(t) },
		})
		for i, all := range m.shown {
			require.Equal(t, m.then[i], maps.Collect(all))
		}
	})
}

// transaction does several changes at once, looks at each at once, and may take all back, or a part.
func (m *machine[K]) transaction(t *rapid.T, changes int) {
	plan := make([]change[K], changes)
	for i := range plan {
		plan[i] = change[K]{m.kit.key(rapid.IntRange(0, 80).Draw(t, "key")), rapid.IntRange(0, 5).Draw(t, "what")}
	}
	undo, part := rapid.IntRange(0, 3).Draw(t, "undo") == 0, rapid.IntRange(0, changes).Draw(t, "part")
	m.want = ask(func(tx *stm.Tx) map[K]int {
		after := maps.Clone(m.want)
		m.changes(t, tx, after, plan[:part])
		then := maps.Clone(after)
		_ = stm.Try(tx, func(tx *stm.Tx) error {
			m.changes(t, tx, then, plan[part:])
			require.Equal(t, then, maps.Collect(m.m.All(tx)))
			require.Equal(t, len(then), m.m.Len(tx))
			if undo {
				return errUndo
			}
			return nil
		})
		if undo {
			return after
		}
		return then
	})
}

type change[K comparable] struct {
	key  K
	what int
}

// changes does a plan to the Map and to what it should hold.
func (m *machine[K]) changes(t *rapid.T, tx *stm.Tx, after map[K]int, plan []change[K]) {
	for i, c := range plan {
		switch c.what {
		case 0, 1:
			m.m.Delete(tx, c.key)
			delete(after, c.key)
		case 2:
			m.m.Update(tx, c.key, func(v int, ok bool) int {
				if _, there := after[c.key]; ok != there || v != after[c.key] {
					t.Errorf("update of %v sees %d, %v", c.key, v, ok)
				}
				return v + 1
			})
			after[c.key]++
		default:
			m.m.Set(tx, c.key, i)
			after[c.key] = i
		}
		v, ok := m.m.Get(tx, c.key)
		want, there := after[c.key]
		require.Equal(t, there, ok)
		require.Equal(t, want, v)
	}
}

func (m *machine[K]) check(t require.TestingT) {
	require.NoError(t, ask(m.m.Check))
	require.Equal(t, len(m.want), ask(m.m.Len))
	require.Equal(t, m.want, content(m.m))
	if len(m.want) == 0 {
		require.Zero(t, ask(m.m.Tables))
	}
}

// deep gives digests that agree in all bytes but the last, or in all but the first.
func deep(i int) (d digest) {
	if d[31] = byte(i); i%3 == 0 {
		d[0] = byte(i)
	}
	return d
}

func TestModel(t *testing.T) {
	number := func(i int) int { return i }
	by := func(hash func(int) uint64) func() *tmap.Map[int, int] {
		return func() *tmap.Map[int, int] { return tmap.NewBy[int, int](hash).Label("by") }
	}
	t.Run("integer", kit[int]{tmap.New[int, int], number}.run)
	t.Run("digest", kit[digest]{tmap.New[digest, int], deep}.run)
	t.Run("string", kit[string]{tmap.New[string, int], func(i int) string { return fmt.Sprint(i) }}.run)
	t.Run("one hash", kit[int]{by(func(int) uint64 { return 7 }), number}.run)
	t.Run("few hashes", kit[int]{by(func(i int) uint64 { return uint64(i%5) << 61 }), number}.run)
	t.Run("first bits", kit[int]{by(func(i int) uint64 { return uint64(i) << 50 }), number}.run)
	t.Run("last bits", kit[int]{by(func(i int) uint64 { return uint64(i) }), number}.run)
}

// The faults that the comments warn of are noticed by Check and by the model.
func TestPlanted(t *testing.T) {
	one := func(i int) uint64 { return uint64(i) }
	fill := func() *tmap.Map[int, int] {
		m := tmap.NewBy[int, int](one)
		do(func(tx *stm.Tx) {
			for i := range 100 {
				m.Set(tx, i, i)
			}
		})
		require.NoError(t, ask(m.Check))
		return m
	}
	m := fill()
	do(func(tx *stm.Tx) { m.SetUncounted(tx, 100, 1) })
	require.Error(t, ask(m.Check))
	require.NotEqual(t, len(content(m)), ask(m.Len))

	m = fill()
	do(func(tx *stm.Tx) {
		for i := range 16 {
			m.DeleteCarelessly(tx, i)
		}
	})
	require.NotEqual(t, 84, len(content(m)))

	m = fill()
	do(func(tx *stm.Tx) {
		for i := range 16 {
			m.Delete(tx, i)
		}
	})
	require.Len(t, content(m), 84)
}

// The order follows from the content: it is that of a persist.Trie, whatever came and went before.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfNDistinct(rapid.String(), 0, 60, rapid.ID).Draw(t, "keys")
		gone := rapid.SliceOfN(rapid.String(), 0, 60).Draw(t, "gone")
		m := tmap.New[string, int]()
		var tr persist.Trie[string, int]
		do(func(tx *stm.Tx) {
			for _, k := range append(gone, rapid.Permutation(keys).Draw(t, "order")...) {
				m.Set(tx, k, 1)
			}
			for _, k := range gone {
				if !slices.Contains(keys, k) {
					m.Delete(tx, k)
				}
			}
		})
		for _, k := range keys {
			tr = tr.Set(k, 1)
		}
		var got, want []string
		for k := range ask(m.All) {
			got = append(got, k)
		}
		for k := range tr.All() {
			want = append(want, k)
		}
		require.Equal(t, want, got)
	})
}

// What a stranger can make of 13 keys, and that it goes with them.
func TestTables(t *testing.T) {
	m := tmap.NewBy[int, int](func(i int) uint64 { return uint64(i) })
	do(func(tx *stm.Tx) {
		for i := range 13 {
			m.Set(tx, i, i)
		}
	})
	require.LessOrEqual(t, ask(m.Tables), 15)
	require.Greater(t, ask(m.Tables), 12)
	do(func(tx *stm.Tx) {
		for i := range 13 {
			m.Delete(tx, i)
		}
	})
	require.Zero(t, ask(m.Tables))

	big := tmap.New[int, int]()
	n := long.N(20_000, 500_000)
	for at := 0; at < n; at += 100 {
		do(func(tx *stm.Tx) {
			for i := range 100 {
				big.Set(tx, at+i, i)
			}
		})
	}
	require.NoError(t, ask(big.Check))
	buckets := 15*ask(big.Tables) + 64
	require.Greater(t, buckets, n/10)
	require.Less(t, buckets, n)
	t.Log(n, "keys in", buckets, "buckets")
}

func TestNoReadyHash(t *testing.T) {
	require.PanicsWithValue(t, "persist: no ready hash for float64: give one", func() { tmap.New[float64, int]() })
}

// FuzzMap reads changes from bytes and compares with a map.
func FuzzMap(f *testing.F) {
	f.Add([]byte("abcabcABC"))
	f.Add(slices.Repeat([]byte{1, 0x81, 33, 0xa1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 9))
	f.Fuzz(func(t *testing.T, ops []byte) {
		m := tmap.NewBy[byte, int](func(b byte) uint64 { return uint64(b&0x78) << 50 })
		want := map[byte]int{}
		do(func(tx *stm.Tx) {
			clear(want)
			for i, op := range ops[:min(len(ops), long.N(200, 4000))] {
				if k := op & 0x7f; op >= 0x80 {
					m.Delete(tx, k)
					delete(want, k)
				} else {
					m.Set(tx, k, i)
					want[k] = i
				}
			}
		})
		require.NoError(t, ask(m.Check))
		require.Equal(t, len(want), ask(m.Len))
		require.Equal(t, want, content(m))
	})
}
