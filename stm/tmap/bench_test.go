package tmap_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
	"github.com/synodkit/synod/stm/tmap"
)

const benchSize = 100_000

// rival is one implementation of a map. set replaces the value of a key or adds it.
type rival struct {
	impl   string
	get    func(k uint64)
	set    func(k uint64, v int)
	delete func(k uint64)
	all    func() int
	len    func() int
}

func filled(r rival) rival {
	for i := range uint64(benchSize) {
		r.set(i, 0)
	}
	return r
}

func rivals() []rival {
	return []rival{filled(ofMap()), filled(ofTrie()), filled(ofSync()), filled(ofMutex())}
}

func ofMap() rival {
	ctx, m := context.Background(), tmap.New[uint64, int]()
	return rival{"synod",
		func(k uint64) {
			_, _ = stm.Query(ctx, func(tx *stm.Tx) int {
				v, _ := m.Get(tx, k)
				return v
			})
		},
		func(k uint64, v int) { do(func(tx *stm.Tx) { m.Set(tx, k, v) }) },
		func(k uint64) { do(func(tx *stm.Tx) { m.Delete(tx, k) }) },
		func() (n int) {
			for range ask(m.All) {
				n++
			}
			return n
		},
		func() int { return ask(m.Len) }}
}

func ofTrie() rival {
	ctx := context.Background()
	var m stm.Var[persist.Trie[uint64, int]]
	return rival{"trie-in-var",
		func(k uint64) { _, _ = m.Load(ctx).Get(k) },
		func(k uint64, v int) { do(func(tx *stm.Tx) { m.Set(tx, m.Get(tx).Set(k, v)) }) },
		func(k uint64) { do(func(tx *stm.Tx) { m.Set(tx, m.Get(tx).Delete(k)) }) },
		func() (n int) {
			for range m.Load(ctx).All() {
				n++
			}
			return n
		},
		func() int { return m.Load(ctx).Len() }}
}

func ofSync() rival {
	var m sync.Map
	count := func() (n int) {
		m.Range(func(_, _ any) bool { n++; return true })
		return n
	}
	return rival{"sync.Map", func(k uint64) { m.Load(k) }, func(k uint64, v int) { m.Store(k, v) }, func(k uint64) { m.Delete(k) }, count, count}
}

func ofMutex() rival {
	var mu sync.Mutex
	m := map[uint64]int{}
	locked := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
	}
	return rival{"mutex",
		func(k uint64) { locked(func() { _ = m[k] }) },
		func(k uint64, v int) { locked(func() { m[k] = v }) },
		func(k uint64) { locked(func() { delete(m, k) }) },
		func() (n int) {
			locked(func() {
				for range m {
					n++
				}
			})
			return n
		},
		func() int { return len(m) }}
}

// BenchmarkMap: keys of a map of 100,000, by goroutines that use different ones. insert-delete is two operations.
func BenchmarkMap(b *testing.B) {
	all := rivals()
	ops := []struct {
		name string
		f    func(r rival, g, i int)
	}{
		{"get", func(r rival, g, i int) { r.get(uint64(i*2+g) * 7919 % benchSize) }},
		{"set", func(r rival, g, i int) { r.set(uint64(i*2+g)*7919%benchSize, i) }},
		{"insert-delete", func(r rival, g, i int) {
			k := uint64(benchSize + i*2 + g)
			r.set(k, i)
			r.delete(k)
		}},
	}
	for _, op := range ops {
		for _, goroutines := range []int{1, 2} {
			for _, r := range all {
				b.Run(fmt.Sprintf("%s/goroutines=%d/impl=%s", op.name, goroutines, r.impl), func(b *testing.B) {
					b.ReportAllocs()
					var wg sync.WaitGroup
					for g := range goroutines {
						wg.Go(func() {
							for i := range b.N / goroutines {
								op.f(r, g, i)
							}
						})
					}
					wg.Wait()
				})
			}
		}
	}
	for _, r := range all {
		b.Run("all/impl="+r.impl, func(b *testing.B) {
			for b.Loop() {
				r.all()
			}
		})
	}
	for _, r := range all {
		b.Run("len/impl="+r.impl, func(b *testing.B) {
			for b.Loop() {
				r.len()
			}
		})
	}
}
