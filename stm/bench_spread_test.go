package stm_test

import (
	"context"
	"sync"
	"testing"

	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/persist"
	"github.com/synodkit/synod/stm/tally"
	"github.com/synodkit/synod/stm/tmap"
)

// Collections whose writers should not meet: what a second goroutine adds. Their own packages have benchmarks of the rest.

func BenchmarkMapSet(b *testing.B)   { each(b, "goroutines", crowds, mapSet) }
func BenchmarkTallyAdd(b *testing.B) { each(b, "goroutines", crowds, tallyAdd) }

const keysEach = 512 // of a goroutine

// mapSet is g goroutines that change keys of their own in one map. plain is a sync.Map.
func mapSet(g int) []impl {
	ctx := context.Background()
	keys := func(b *testing.B, set func(key uint64, x int)) {
		for k := range uint64(g * keysEach) {
			set(k, 0)
		}
		crowd(b, g, func(me int) func() {
			i := 0
			return func() {
				set(uint64(me*keysEach+i%keysEach), i)
				i++
			}
		})
	}
	return []impl{
		{"synod", func(b *testing.B) {
			m := tmap.New[uint64, int]()
			keys(b, func(k uint64, x int) {
				_ = stm.Do(ctx, func(tx *stm.Tx) error { m.Set(tx, k, x); return nil })
			})
		}},
		{"trie", func(b *testing.B) { // one Var: all meet
			m := new(stm.Var[persist.Trie[uint64, int]])
			keys(b, func(k uint64, x int) {
				_ = stm.Do(ctx, func(tx *stm.Tx) error { m.Set(tx, m.Get(tx).Set(k, x)); return nil })
			})
		}},
		{"mutex", func(b *testing.B) {
			var mu sync.Mutex
			m := map[uint64]int{}
			keys(b, func(k uint64, x int) {
				mu.Lock()
				m[k] = x
				mu.Unlock()
			})
		}},
		{"plain", func(b *testing.B) {
			var m sync.Map
			keys(b, func(k uint64, x int) { m.Store(k, x) })
		}},
	}
}

// tallyAdd is g goroutines that add to one number. plain is a single Var.
func tallyAdd(g int) []impl {
	ctx := context.Background()
	return []impl{
		{"synod", func(b *testing.B) {
			c := tally.New()
			add := func(tx *stm.Tx) error { c.Add(tx, 1); return nil }
			crowd(b, g, func(int) func() { return func() { _ = stm.Do(ctx, add) } })
			if n, _ := stm.Query(ctx, c.Value); n < int64(b.N) {
				b.Error("lost some of", b.N, n)
			}
		}},
		{"plain", named(hotCounter(g), "synod").run},
		{"mutex", named(hotCounter(g), "mutex").run},
	}
}
