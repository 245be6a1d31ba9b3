package rerun

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"

	"kit/stm"
)

type result struct {
	items []int
	count int
}

// Plain assignment of what this run has found is how a body returns more than one value.
func good(ctx context.Context, v *stm.Var[int], vs map[string]*stm.Var[int], keys [3]int) {
	var xs, ys, zs []int
	var r result
	var again func()
	n, k, j, runs := 0, 0, 0, 0
	var tries atomic.Int64
	m, out := map[int]int{}, map[string]int{}
	var buf bytes.Buffer
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		runs++ // counts the runs
		tries.Add(1)
		n = v.Get(tx)
		n++
		xs = xs[:0]
		for i := range n {
			xs = append(xs, i)
		}
		ys = append(xs, 1)
		ys = append(ys[:0], n)
		r = result{}
		r.count += n
		r.items = append(r.items, n)
		clear(m)
		m[n] = n
		buf.Reset()
		buf.WriteString("x")
		for k, v := range vs { // the keys of every run are the same
			out[k] = v.Get(tx)
			out["of "+k] = v.Get(tx)
		}
		for i, k := range keys {
			keys[i] = k
		}
		if k = v.Get(tx); k > 0 {
			k -= 1
		}
		switch j = v.Get(tx); j {
		case 1:
			j++
		}
		again = func() { again() }
		zs = make([]int, len(zs))
		return nil
	})
}

// What a body declares, and what it is given, is new or the caller's.
func own(tx *stm.Tx, v *stm.Var[int], r *result, m map[int]int) string {
	var xs []int
	var b strings.Builder
	sum := 0
	add := func(n int) { sum += n; xs = append(xs, n) }
	for i := 0; i < v.Get(tx); i++ {
		add(i)
	}
	r.count++
	m[sum]++
	fmt.Fprint(&b, xs)
	_ = stm.OrElse(tx, func(tx *stm.Tx) int { sum++; return sum }, v.Get)
	alternatives := []func(*stm.Tx) int{func(tx *stm.Tx) int { sum++; return sum }}
	_ = alternatives[0](tx)
	tx.OnCommit(func() { total++ })
	return b.String()
}

// A builder has no Vars: whoever made it may have made it in the body.
func (r *result) add(tx *stm.Tx, v *stm.Var[int]) {
	r.items = append(r.items, v.Get(tx))
	r.count++
}

func outside(xs []int) []int { total++; return append(xs, 1) }
