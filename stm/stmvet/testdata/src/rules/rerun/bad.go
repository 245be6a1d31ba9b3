package rerun

import (
	"bytes"
	"container/heap"
	"container/list"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"kit/stm"
)

type counts struct {
	v    stm.Var[int]
	hits int
	seen []int
	n    atomic.Int64
}

var total int

func bad(ctx context.Context, v *stm.Var[int], c *counts, h heap.Interface, l *list.List) {
	var xs []int
	n, sum, err := 0, 0, error(nil)
	m, grid := map[int]int{}, map[string][]int{}
	var b strings.Builder
	var buf bytes.Buffer
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		xs = append(xs, v.Get(tx))        // want `the append to xs keeps what undone runs have appended: start it anew in.* \[rerun\]`
		n++                               // want `n\+\+ counts undone runs too`
		total--                           // want `total-- counts undone runs too`
		sum += v.Get(tx)                  // want `sum \+= starts from what an undone run has left`
		n = n*2 + 1                       // want `the new n comes from the old one`
		err = errors.Join(err, ctx.Err()) // want `the new err comes from the old one`
		xs = xs[1:]                       // want `the new xs comes from the old one`
		m[v.Get(tx)] = 1                  // want `m keeps the keys that undone runs have set`
		delete(m, v.Get(tx))              // want `m lacks the keys`
		grid["a"] = append(grid["a"], 1)  // want `the append to grid\["a"\] keeps`
		xs[0]++                           // want `xs\[0\]\+\+ counts`
		c.hits++                          // want `c.hits\+\+ counts`
		c.n.Add(1)                        // want `Int64.Add changes c.n in undone runs too`
		buf.WriteByte('x')                // want `Buffer.WriteByte changes buf`
		b.WriteString("x")                // want `Builder.WriteString changes b`
		fmt.Fprintf(&buf, "x")            // want `fmt.Fprintf changes buf`
		l.PushBack(1)                     // want `List.PushBack changes l`
		heap.Push(h, 1)                   // want `heap.Push changes h`
		for i := 0; i < v.Get(tx); i++ {
			m[i] = i // want `m keeps the keys`
		}
		if n = v.Get(tx); n > 1 {
			xs = append(xs, n) // want `the append to xs`
		}
		return stm.Try(tx, func(tx *stm.Tx) error {
			sum++ // want `sum\+\+`
			return nil
		})
	})
}

// A component with Vars outlives the transaction, so its other fields do.
func (c *counts) bad(tx *stm.Tx) {
	c.hits++                             // want `c.hits\+\+`
	c.seen = append(c.seen, c.v.Get(tx)) // want `the append to c.seen`
}

// The key is captured, but each run may give it another value.
func badKey(ctx context.Context, v *stm.Var[int], m map[int]bool) {
	var k int
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		k = v.Get(tx)
		m[k] = true // want `m keeps the keys`
		return nil
	})
}

// Started anew on one way only.
func badWay(ctx context.Context, v *stm.Var[int]) (xs []int) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		if v.Get(tx) > 0 {
			xs = nil
		}
		xs = append(xs, 1) // want `the append to xs`
		return nil
	})
	return xs
}
