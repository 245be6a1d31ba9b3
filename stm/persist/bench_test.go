package persist_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/benbjohnson/immutable"

	"github.com/synodkit/synod/stm/persist"
)

type item struct{ no uint64 }

func digests(n int) []digest {
	keys := make([]digest, n)
	for i := range keys {
		for w := range 4 {
			binary.BigEndian.PutUint64(keys[i][8*w:], persist.HashUint64(uint64(i*4+w)))
		}
	}
	return keys
}

type digestHasher struct{}

func (digestHasher) Hash(k digest) uint32   { return binary.LittleEndian.Uint32(k[:]) }
func (digestHasher) Equal(a, b digest) bool { return a == b }

// op is a benchmark of one implementation; f is called with 0, 1, 2...
type op struct {
	impl string
	f    func(i int)
}

func compare(b *testing.B, name string, ops ...op) {
	for _, o := range ops {
		b.Run(name+"/impl="+o.impl, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				o.f(i)
			}
		})
	}
}

// BenchmarkTrie: an index by 32-byte hashes. A replacement is a deletion and an insertion, each of which makes a version;
// impl=map changes one map in place and impl=map-copy is what a map as a value costs.
func BenchmarkTrie(b *testing.B) {
	for _, n := range []int{20_000, 100_000} {
		keys, v := digests(n), &item{}
		var tr persist.Trie[digest, *item]
		im := immutable.NewMap[digest, *item](digestHasher{})
		plain := map[digest]*item{}
		for _, k := range keys {
			tr, im = tr.Set(k, v), im.Set(k, v)
			plain[k] = v
		}
		k := func(i int) digest { return keys[i*7919%n] }
		name := func(op string) string { return fmt.Sprintf("%s/size=%d", op, n) }
		compare(b, name("replace"),
			op{"persist", func(i int) { tr = tr.Delete(k(i)).Set(k(i), v) }},
			op{"immutable", func(i int) { im = im.Delete(k(i)).Set(k(i), v) }},
			op{"map", func(i int) { delete(plain, k(i)); plain[k(i)] = v }},
			op{"map-copy", func(i int) { plain = maps.Clone(plain) }})
		edit := tr.Edit()
		compare(b, name("replace-batch=64"),
			op{"persist", func(i int) {
				if edit.Delete(k(i)); i%64 == 63 {
					edit.Trie()
				}
				edit.Set(k(i), v)
			}})
		compare(b, name("get"),
			op{"persist", func(i int) { tr.Get(k(i)) }},
			op{"immutable", func(i int) { im.Get(k(i)) }},
			op{"map", func(i int) { _ = plain[k(i)] }})
		count := 0
		compare(b, name("iterate"),
			op{"persist", func(int) {
				for range tr.All() {
					count++
				}
			}},
			op{"immutable", func(int) {
				for it := im.Iterator(); !it.Done(); it.Next() {
					count++
				}
			}},
			op{"map", func(int) {
				for range plain {
					count++
				}
			}})
	}
}

// BenchmarkSeq: a fragment of 2,160 headers, and a pool of 100,000 entries in their order.
func BenchmarkSeq(b *testing.B) {
	const window = 2160
	x := &item{}
	var s persist.Seq[*item]
	list := immutable.NewList[*item]()
	for range window {
		s, list = s.Append(x), list.Append(x)
	}
	slice := slices.Repeat([]*item{x}, window)
	compare(b, "extend-drop/size=2160",
		op{"persist", func(int) { s = s.Append(x); s = s.Drop(s.Hi() - window) }},
		op{"immutable", func(int) { list = list.Append(x).Slice(1, window+1) }},
		op{"slice-copy", func(int) { c := make([]*item, window); copy(c, slice[1:]); c[window-1] = x; slice = c }})
	compare(b, "at/size=2160",
		op{"persist", func(i int) { s.Get(s.Lo() + uint64(i*7919%window)) }},
		op{"immutable", func(i int) { list.Get(i * 7919 % window) }},
		op{"slice-copy", func(i int) { _ = slice[i*7919%window] }})
	compare(b, "cut-extend=100/size=2160",
		op{"persist", func(int) {
			s = s.Cut(s.Hi() - 100)
			for range 101 {
				s = s.Append(x)
			}
			s = s.Drop(s.Hi() - window)
		}},
		op{"immutable", func(int) {
			list = list.Slice(0, window-100)
			for range 101 {
				list = list.Append(x)
			}
			list = list.Slice(1, window+1)
		}},
		op{"slice-copy", func(int) {
			c := make([]*item, window)
			copy(c, slice[1:window-100])
			for i := window - 101; i < window; i++ {
				c[i] = x
			}
			slice = c
		}})
	orders(b, x)
}

func orders(b *testing.B, x *item) {
	const n = 100_000
	var s persist.Seq[*item]
	sorted := immutable.NewSortedMap[uint64, *item](nil)
	for i := range uint64(n) {
		s, sorted = s.Append(x), sorted.Set(i, x)
	}
	at := func(i int) uint64 { return s.Lo() + persist.HashUint64(uint64(i))%n }
	compare(b, "append-delete/size=100000",
		op{"persist", func(i int) { s = s.Append(x).Delete(at(i)); s = s.Drop(s.Hi() - n) }},
		op{"immutable", func(i int) {
			to := uint64(n + i)
			sorted = sorted.Delete(to-n).Set(to, x).Delete(to - n + uint64(i)*7919%n)
		}})
	edit := s.Edit()
	compare(b, "append-delete-batch=64/size=100000",
		op{"persist", func(i int) {
			edit.Append(x)
			edit.Delete(at(i))
			if edit.Drop(edit.Hi() - n); i%64 == 63 {
				edit.Seq()
			}
		}})
	compare(b, "at/size=100000", op{"persist", func(i int) { s.Get(at(i)) }})
	count := 0
	compare(b, "iterate/size=100000",
		op{"persist", func(int) {
			for range s.All() {
				count++
			}
		}},
		op{"immutable", func(int) {
			for it := sorted.Iterator(); !it.Done(); it.Next() {
				count++
			}
		}})
}
