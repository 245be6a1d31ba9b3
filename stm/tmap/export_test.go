package tmap

import (
	"fmt"

	"github.com/synodkit/synod/stm"
)

// Check verifies the form of a Map: every invariant that a comment states.
func (m *Map[K, V]) Check(tx *stm.Tx) error {
	sum := make([]int, len(m.sizes))
	for i := range m.roots {
		if err := m.check(tx, m.roots[i].Get(tx), sum); err != nil {
			return err
		}
	}
	var last *entry[K, V]
	for _, b := range m.buckets(tx) {
		for i := range b {
			e := &b[i]
			if p := m.find(tx, e.key); e.hash != m.hash.Word(e.key, 0) || &p.bucket[0] != &b[0] {
				return fmt.Errorf("%v is at the wrong place", e.key)
			}
			if last != nil && m.less(e, last) {
				return fmt.Errorf("%v comes after %v", e.key, last.key)
			}
			last = e
		}
	}
	for i, want := range sum {
		if n := m.sizes[i].Get(tx); n != want {
			return fmt.Errorf("%d keys in part %d, counted %d", want, i, n)
		}
	}
	return nil
}

func (m *Map[K, V]) buckets(tx *stm.Tx) (all []bucket[K, V]) {
	for i := range m.roots {
		all = m.roots[i].Get(tx).collect(tx, all)
	}
	return all
}

func (m *Map[K, V]) check(tx *stm.Tx, n node[K, V], sum []int) error {
	if n.table == nil {
		for i := range n.bucket {
			sum[n.bucket[i].hash%uint64(len(sum))]++
		}
		if len(n.bucket) > bucketMax {
			if p := m.find(tx, n.bucket[0].key); !p.below.ends() {
				return fmt.Errorf("a bucket of %d", len(n.bucket))
			}
		}
		return nil
	}
	if len(n.bucket) > 0 {
		return fmt.Errorf("a table with a bucket")
	}
	if len(n.collect(tx, nil)) == 0 {
		return fmt.Errorf("a table of nothing")
	}
	for i := range n.table {
		if err := m.check(tx, n.table[i].Get(tx), sum); err != nil {
			return err
		}
	}
	return nil
}

// Tables is the number of tables below the roots.
func (m *Map[K, V]) Tables(tx *stm.Tx) int {
	var count func(n node[K, V]) int
	count = func(n node[K, V]) (all int) {
		if n.table == nil {
			return 0
		}
		for i := range n.table {
			all += count(n.table[i].Get(tx))
		}
		return all + 1
	}
	all := 0
	for i := range m.roots {
		all += count(m.roots[i].Get(tx))
	}
	return all
}

// DeleteCarelessly is a planted fault: tables go without a look at who else is in them.
func (m *Map[K, V]) DeleteCarelessly(tx *stm.Tx, key K) {
	m.Delete(tx, key)
	if p := m.find(tx, key); len(p.bucket) == 0 {
		m.roots[p.hash>>(wordBits-rootBits)].Set(tx, node[K, V]{})
	}
}

// SetUncounted is a planted fault: the number of keys does not change.
func (m *Map[K, V]) SetUncounted(tx *stm.Tx, key K, v V) {
	p := m.find(tx, key)
	b, _ := m.with(p.bucket, entry[K, V]{p.hash, key, v})
	p.at.Set(tx, m.grown(tx, b, p.below))
}
