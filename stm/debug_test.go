package stm

import (
	"context"
	"fmt"
	"math/rand/v2"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// complaint is what debug mode says to f; empty if nothing.
func complaint(t *testing.T, f func()) string {
	t.Helper()
	defer Debug()()
	r := caught(f)
	if r == nil {
		return ""
	}
	return fmt.Sprint(r)
}

type crate struct{ n []int }

// misuses are wrong programs. what is said names the Var and two places in this file.
func TestDebugFindsMisuse(t *testing.T) {
	var leaked *Tx
	v, p := NewVar(0).Label("count"), NewVar(&crate{[]int{1}}).Label("box")
	m := NewVar(map[string]int{})
	n := 0
	other := func(f func()) { // on another goroutine
		var r any
		var wg sync.WaitGroup
		wg.Go(func() { r = caught(f) })
		wg.Wait()
		if r != nil {
			panic(r)
		}
	}
	for _, c := range []struct {
		name string
		do   func()
		says string
	}{
		{"after its end", func() { _ = Do(bg, func(tx *Tx) error { leaked = tx; return nil }); v.Get(leaked) },
			`^stm: Tx used outside its function, at HERE; the transaction began at HERE$`},
		{"after its end, when others have run", func() {
			_ = Do(bg, func(tx *Tx) error { leaked = tx; return nil })
			_ = Do(bg, func(tx *Tx) error { v.Set(tx, 1); leaked.OnCommit(nil); return nil })
		}, `^stm: Tx used outside its function, at HERE; the transaction began at HERE$`},
		{"in a hook", func() { _ = Do(bg, func(tx *Tx) error { tx.OnCommit(func() { v.Get(tx) }); return nil }) },
			`^stm: Tx used outside its function, at HERE; `},
		{"on another goroutine", func() { _ = Do(bg, func(tx *Tx) error { v.Get(tx); other(func() { v.Set(tx, 1) }); return nil }) },
			`^stm: Tx used outside its function: on another goroutine, at HERE; the transaction began at HERE$`},
		{"a transaction inside another", func() { _ = Do(bg, func(*Tx) error { _, err := Query(bg, v.Get); return err }) },
			`^stm: a transaction inside the body of another: the transaction began at HERE, the other at HERE$`},
		{"a transaction inside a Query", func() { _, _ = Query(bg, func(*Tx) int { _ = Do(bg, add(v, 1)); return 0 }) },
			`^stm: a transaction inside the body of another`},
		{"an impure result", func() { _, _ = Query(bg, func(*Tx) int { n++; return n }) },
			`^stm: the body is not pure: its result is \d+, then \d+; the transaction began at HERE$`},
		{"an impure write", func() { _ = Do(bg, func(tx *Tx) error { n++; v.Set(tx, n); return nil }) },
			`^stm: the body is not pure: it sets Var count to \d+, then to \d+, at HERE; `},
		{"an impure choice", func() {
			_ = Do(bg, func(tx *Tx) error {
				if n++; n%2 == 0 {
					v.Set(tx, 1)
				}
				return nil
			})
		}, `^stm: the body is not pure: it writes .*"Var count"`},
		{"an impure read", func() {
			_ = Do(bg, func(tx *Tx) error {
				if n++; n%2 == 0 {
					v.Get(tx)
				}
				return nil
			})
		}, `^stm: the body is not pure: it reads .*"Var count"`},
		{"an impure error", func() { _ = Do(bg, func(*Tx) error { n++; return fmt.Errorf("error %d", n) }) },
			`^stm: the body is not pure: it ends with error ".*error \d", then with ".*error \d+"; `},
		{"an impure Retry", func() {
			ctx, cancel := context.WithTimeout(bg, time.Millisecond)
			defer cancel()
			_ = Do(ctx, func(tx *Tx) error { v.Get(tx); n++; tx.Check(n%2 == 0); return nil })
			_ = Do(ctx, func(tx *Tx) error { v.Get(tx); n++; tx.Check(n%2 == 0); return nil })
		}, `^stm: the body is not pure: one run retries, another does not; `},
		{"an append to what is outside", func() {
			var all []int
			_, _ = Query(bg, func(tx *Tx) []int { all = append(all, v.Get(tx)); return all })
		}, `^stm: the body is not pure: its result is \[\d+\], then \[\d+ \d+\]`},
		{"Retry with nothing read", func() { _ = Do(bg, func(tx *Tx) error { v.Set(tx, 1); return ErrRetry }) },
			`^stm: Retry with nothing read would wait for ever; the transaction began at HERE$`},
		{"a value changed after Set", func() {
			b := &crate{[]int{1, 2}}
			_ = Do(bg, func(tx *Tx) error { p.Set(tx, b); return nil })
			b.n[1] = 7
			_, _ = Query(bg, p.Get)
		}, `^stm: the value of Var box has changed after its Set at HERE; seen at HERE$`},
		{"a value changed after Get", func() {
			x, _ := Query(bg, p.Get)
			x.n = append(x.n, 1)
			_, _ = Query(bg, p.Get)
		}, `^stm: the value of Var box has changed after .* at HERE; seen at HERE$`},
		{"a value changed and Set again", func() {
			_ = Do(bg, func(tx *Tx) error { b := p.Get(tx); b.n = append(b.n, 1); p.Set(tx, b); return nil })
		}, `^stm: the value of Var box has changed after .* at HERE; seen at HERE$`},
		{"a map changed after Set", func() {
			x := map[string]int{"a": 1}
			_ = Do(bg, func(tx *Tx) error { m.Set(tx, x); return nil })
			x["b"] = 2
			_, _ = Query(bg, m.Get)
		}, `^stm: the value of an unlabelled Var\[map\[string\]int\] has changed after its Set at HERE; seen at HERE$`},
		{"an impure body in a Model", func() {
			var m Model
			m.Run("", func(tx *Tx) error { n++; v.Set(tx, n); return nil })
		}, `^stm: the body is not pure: on the same state it gives two steps; it was run at HERE$`},
	} {
		says := complaint(t, c.do)
		require.Regexp(t, regexp.MustCompile(regexp.MustCompile("HERE").ReplaceAllString(c.says, `stm/debug_test.go:\d+`)), says, c.name)
		require.Empty(t, complaint(t, func() { _ = Do(bg, add(v, 1)) }), "after %s all is well again", c.name)
	}
	requireQuiet(t, v)
	require.Nil(t, debugging.Load())
}

// Right programs hear nothing, and do what they do without debug mode.
func TestDebugLetsTermsBe(t *testing.T) {
	defer Debug()()
	checkMany(t, func(t *rapid.T) {
		p, initial := terms(4, any_...).Draw(t, "term"), memories().Draw(t, "memory")
		require.Equal(t, expected(p, initial), observed(t, p, initial))
		inModel(p, initial)
	})
	TestOracleConcurrent(t)
}

// Values that look as if they changed, and do not.
func TestDebugLetsValuesBe(t *testing.T) {
	type shared struct {
		hits atomic.Int32
		m    map[string]int
	}
	type node struct {
		next *node
		v    *Var[int]
		n    int
	}
	defer Debug()()
	counted := NewVar(&shared{m: map[string]int{}})
	list, fresh, f := NewVar(&node{}), NewVar(&node{}), NewVar(func() int { return 0 })
	when, words := NewVar(time.Now()), NewVar(map[string][]string{"a": {"b"}, "c": {"d"}})
	set(t, list, func() *node { n := &node{n: 1}; n.next = n; return n }())
	undone := &crate{[]int{1}}
	crates := NewVar(&crate{})
	for range 20 {
		undone.n = append(undone.n, 1) // nobody has ever seen it
		require.NoError(t, Do(bg, func(tx *Tx) error {
			_ = Try(tx, func(tx *Tx) error { crates.Set(tx, undone); return errBoom })
			counted.Get(tx).hits.Add(1)                  // has its own rules
			l := &node{next: list.Get(tx), v: NewVar(1)} // a Var of its own, and a cycle
			l.v.Set(tx, 2)
			fresh.Set(tx, l)
			l.n = 3 // before the commit nobody sees it
			f.Set(tx, func() int { return l.n })
			when.Set(tx, when.Get(tx).Local().Add(time.Second))
			sum := 0
			for k, vs := range words.Get(tx) { // in any order
				sum += len(k) + len(vs)
			}
			_ = Try(tx, func(tx *Tx) error { words.Set(tx, nil); return errBoom })
			return nil
		}))
		x, err := Query(bg, fresh.Get)
		require.NoError(t, err)
		x.n++ // an object that holds a Var is no value
		_, err = Query(bg, fresh.Get)
		require.NoError(t, err)
	}
}

// Reserving and pinned runs are checked like others, and leave nothing behind.
func TestDebugOfUnusualRuns(t *testing.T) {
	defer Debug()()
	v, w := NewVar(0), NewVar([]int{1})
	disturb := func(tx *Tx) {
		if tx.normal == running { // for ever, but for progress
			var wg sync.WaitGroup
			wg.Go(func() {
				_ = Do(bg, func(tx *Tx) error { w.Set(tx, []int{v.Get(tx)}); return add(v, 1)(tx) })
			})
			wg.Wait()
		}
	}
	var kinds []mode
	for _, f := range []func(tx *Tx) error{
		func(tx *Tx) error { v.Get(tx); disturb(tx); w.Get(tx); return nil },
		func(tx *Tx) error { x := v.Get(tx); disturb(tx); w.Set(tx, []int{x}); v.Set(tx, x); return nil },
		func(tx *Tx) error {
			x := v.Get(tx)
			disturb(tx)
			n := NewVar(x)
			n.Set(tx, n.Get(tx)+1)
			v.Set(tx, n.Get(tx))
			return nil
		},
	} {
		last := dead
		require.NoError(t, Do(bg, func(tx *Tx) error { last = tx.normal; return f(tx) }))
		kinds = append(kinds, last)
		requireQuiet(t, v)
		requireQuiet(t, w)
	}
	require.Equal(t, []mode{pinned, serial, serial}, kinds)
}

// Debug mode may come and go while transactions run.
func TestDebugComesAndGoes(t *testing.T) {
	vs := []*Var[int]{NewVar(0), NewVar(0), NewVar(0)}
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 3))
			for range 300 {
				i, j := r.IntN(3), r.IntN(3)
				_ = Do(bg, func(tx *Tx) error { _ = add(vs[i], 1)(tx); return add(vs[j], -1)(tx) })
			}
		})
	}
	wg.Go(func() {
		for range 100 {
			stop := Debug()
			again := Debug()
			stop()
			stop()
			_, _ = Query(bg, vs[0].Get)
			again()
		}
	})
	wg.Wait()
	require.Zero(t, vs[0].Load(bg)+vs[1].Load(bg)+vs[2].Load(bg))
	require.Nil(t, debugging.Load())
	requireQuiet(t, vs...)
}

// BenchmarkDebug is a transaction of two reads and a write, without debug mode and with it.
func BenchmarkDebug(b *testing.B) {
	x, y := NewVar(0), NewVar(0)
	run := func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = Do(bg, func(tx *Tx) error { x.Set(tx, y.Get(tx)+x.Get(tx)); return nil })
		}
	}
	b.Run("mode=off", run)
	b.Run("mode=on", func(b *testing.B) {
		defer Debug()()
		run(b)
	})
	b.Run("mode=off-again", run)
}
