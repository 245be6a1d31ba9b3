package stm

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inModel is the outcome of p in a Model whose Vars have the values initial.
func inModel(p term, initial [termVars]int) (o ending) {
	var m Model
	vs := newVars(initial)
	o.Fate, o.Vars = done, initial
	r := caught(func() {
		step := m.Run("", func(tx *Tx) (err error) {
			o.Value, err = p.run(tx, vs, nil)
			return err
		})
		var f failure
		switch {
		case errors.As(step.Err, &f):
			o.Fate, o.Value = failed, int(f)
		case step.Err == ErrRetry:
			o.Fate, o.Value = waits, 0
			for _, n := range step.Reads {
				for i := range vs {
					o.Waits[i] = o.Waits[i] || m.slots[n].c == &vs[i].c
				}
			}
		}
		after := m.Run(step.Next, func(tx *Tx) error {
			for i := range vs {
				o.Vars[i] = vs[i].Get(tx)
			}
			return nil
		})
		if after.Next != step.Next {
			panic("a look changes the state")
		}
	})
	if f, ok := r.(failure); ok {
		o.Fate, o.Value = crashed, int(f)
	} else if r != nil {
		panic(r)
	}
	for i, v := range vs {
		if v.Load(bg) != initial[i] {
			panic("a Model changes the Vars themselves")
		}
	}
	return o
}

// A Model and the engine do the same.
func TestModelMatchesEngine(t *testing.T) {
	for _, of := range [][]string{plain, failing, any_} {
		checkMany(t, func(t *rapid.T) {
			p, initial := terms(5, of...).Draw(t, "term"), memories().Draw(t, "memory")
			want := observed(t, p, initial)
			want.Hooks = ""
			require.Equal(t, want, inModel(p, initial))
		})
	}
}

// All orders of some terms, explored in a Model, have the ends that they have by meaning.
func TestModelExplores(t *testing.T) {
	checkMany(t, func(t *rapid.T) {
		ps, initial := rapid.SliceOfN(terms(3, plain...), 1, 4).Draw(t, "terms"), memories().Draw(t, "memory")
		var m Model
		vs := newVars(initial)
		states, want := map[State]bool{}, map[[termVars]int]bool{}
		var walk func(s State, memory [termVars]int)
		walk = func(s State, memory [termVars]int) {
			require.Equal(t, states[s], want[memory], "equal states and equal memories are the same")
			if states[s] {
				return
			}
			states[s], want[memory] = true, true
			for i := range ps {
				step := m.Run(s, func(tx *Tx) error { _, err := ps[i].run(tx, vs, nil); return err })
				o := expected(ps[i], memory)
				require.Equal(t, o.Fate == waits, step.Err == ErrRetry)
				if step.Err == nil {
					walk(step.Next, o.Vars)
				}
			}
		}
		walk("", initial)
	})
}

func TestModelReadsAndWrites(t *testing.T) {
	a, b, c := NewVar(1).Label("a"), NewVar("x").Label("b"), NewVar(0).Label("c")
	var m Model
	step := m.Run("", func(tx *Tx) error {
		c.Set(tx, 5)
		_ = Try(tx, func(tx *Tx) error { b.Set(tx, b.Get(tx)+"y"); return errBoom })
		c.Update(tx, func(n int) int { return n + a.Get(tx) })
		return nil
	})
	name := func(ns []int) (names []string) {
		for _, n := range ns {
			names = append(names, m.Name(n))
		}
		return names
	}
	require.NoError(t, step.Err)
	require.Equal(t, []string{"b", "a"}, name(step.Reads))
	require.Equal(t, []string{"c"}, name(step.Writes))
	next := step.Next
	step = m.Run(next, func(tx *Tx) error { c.Set(tx, 0); return nil })
	require.Equal(t, State(""), step.Next, "the way to a state does not matter")
	step = m.Run(next, func(tx *Tx) error { c.Set(tx, 7); return errBoom })
	require.Equal(t, errBoom, step.Err)
	require.Equal(t, next, step.Next)
	require.Equal(t, 0, c.Load(bg))
}

type tree struct {
	kids map[string]*tree
	v    *Var[int]
	n    []any
}

// Values are told apart by what can be reached from them.
func TestModelComparesDeeply(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	mk := func(leaf any, v *Var[int]) *tree {
		t := &tree{kids: map[string]*tree{"x": {n: []any{leaf, 1.5, nil}}, "y": {v: v}}}
		t.kids["up"] = t
		return t
	}
	values := []*tree{nil, {}, mk(1, a), mk(2, a), mk(1, b), mk("1", a), mk([2]bool{true}, nil)}
	v := NewVar[*tree](nil)
	var m Model
	seen := map[State]int{}
	for range 3 {
		for i := range values {
			x := []*tree{nil, {}, mk(1, a), mk(2, a), mk(1, b), mk("1", a), mk([2]bool{true}, nil)}[i]
			s := m.Run("", func(tx *Tx) error { v.Set(tx, x); return nil }).Next
			if was, ok := seen[s]; ok {
				require.Equal(t, was, i)
			}
			seen[s] = i
		}
	}
	require.Len(t, seen, len(values))
	f := NewVar[func()](nil)
	require.PanicsWithValue(t, "stm: a Model cannot tell values of func() apart, because of func()", func() {
		m.Run("", func(tx *Tx) error { f.Set(tx, func() {}); return nil })
	})
}

func TestModelOfManyValues(t *testing.T) {
	vs := []*Var[int]{NewVar(0), NewVar(0), NewVar(0)}
	var m Model
	var states []State
	for i := range 700 {
		step := m.Run("", func(tx *Tx) error { vs[i%3].Set(tx, i); return nil })
		states = append(states, step.Next)
	}
	slices.Sort(states)
	require.Len(t, slices.Compact(states), 700)
	for i := range 700 {
		s := m.Run("", func(tx *Tx) error { vs[i%3].Set(tx, i); return nil }).Next
		m.Run(s, func(tx *Tx) error { require.Equal(t, i, vs[i%3].Get(tx)); return nil })
	}
}

// A body runs in a Model while transactions use the same Vars; a body in a Model cannot run inside another.
func TestModelBesideTransactions(t *testing.T) {
	v := NewVar(0)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			var m Model
			s, first := State(""), -1
			for i := range 1000 {
				s = m.Run(s, func(tx *Tx) error {
					x := v.Get(tx)
					if first < 0 {
						first = x
					}
					if x != first+i {
						panic("the model's memory is not its own")
					}
					v.Set(tx, x+1)
					return nil
				}).Next
			}
		})
		wg.Go(func() {
			for range 1000 {
				_ = Do(bg, add(v, 1))
			}
		})
	}
	wg.Wait()
	require.Equal(t, 2000, v.Load(bg))
	requireQuiet(t, v)
	var m Model
	var leaked *Tx
	m.Run("", func(tx *Tx) error { leaked = tx; return nil })
	require.Equal(t, misuse, caught(func() { v.Get(leaked) }))
	require.Equal(t, errBoom, caught(func() { m.Run("", func(tx *Tx) error { v.Set(tx, 1); panic(errBoom) }) }))
	require.Equal(t, State(""), m.Run("", func(tx *Tx) error { _, err := Query(bg, v.Get); return err }).Next)
}

// BenchmarkModel is one step: four Vars read, one written, to a state that was seen before.
func BenchmarkModel(b *testing.B) {
	vs := newVars([termVars]int{1, 2, 3, 4})
	body := func(tx *Tx) error {
		sum := 0
		for _, v := range vs {
			sum += v.Get(tx)
		}
		vs[0].Set(tx, sum%2)
		return nil
	}
	b.Run("run=model", func(b *testing.B) {
		b.ReportAllocs()
		var m Model
		s := State("")
		for b.Loop() {
			s = m.Run(s, body).Next
		}
	})
	b.Run("run=transaction", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_ = Do(bg, body)
		}
	})
}
