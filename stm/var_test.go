package stm

import (
	"math"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestZeroVarIsReady(t *testing.T) {
	var n Var[int]
	var s Var[string]
	var p Var[*int]
	require.NoError(t, Do(bg, func(tx *Tx) error {
		require.Zero(t, n.Get(tx))
		require.Empty(t, s.Get(tx))
		require.Nil(t, p.Get(tx))
		n.Set(tx, 7)
		s.Set(tx, "x")
		p.Set(tx, new(int))
		return nil
	}))
	require.Equal(t, 7, n.Load(bg))
	require.Equal(t, "x", s.Load(bg))
	require.NotNil(t, p.Load(bg))
}

type pair struct{ A, B int16 }

type padded struct {
	A int8
	B int32
}

func TestKinds(t *testing.T) {
	require.Equal(t, kindWord, NewVar(1).c.kind)
	require.Equal(t, kindWord, NewVar(1.5).c.kind)
	require.Equal(t, kindWord, NewVar(true).c.kind)
	require.Equal(t, kindWord, NewVar(pair{}).c.kind)
	require.Equal(t, kindWord, NewVar([2]uint32{}).c.kind)
	require.Equal(t, kindWord, NewVar(struct{}{}).c.kind)
	require.Equal(t, kindBox, NewVar(padded{}).c.kind)
	require.Equal(t, kindBox, NewVar("").c.kind)
	require.Equal(t, kindBox, NewVar([]int{}).c.kind)
	require.Equal(t, kindBox, NewVar[error](nil).c.kind)
	require.Equal(t, kindBox, NewVar([1]*int{}).c.kind)
	require.Equal(t, kindPtr, NewVar(&pair{}).c.kind)
	require.Equal(t, kindPtr, NewVar(map[int]int{}).c.kind)
	require.Equal(t, kindPtr, NewVar(func() {}).c.kind)
	require.LessOrEqual(t, unsafe.Sizeof(Var[int]{}), uintptr(56))
}

func roundTrip[T comparable](t *rapid.T, gen *rapid.Generator[T]) {
	a, b := gen.Draw(t, "a"), gen.Draw(t, "b")
	v := NewVar(a)
	got, err := Atomically(bg, func(tx *Tx) ([2]T, error) {
		before := v.Get(tx)
		v.Set(tx, b)
		return [2]T{before, v.Get(tx)}, nil
	})
	if err != nil || !same(got[0], a) || !same(got[1], b) || !same(v.Load(bg), b) {
		t.Fatalf("%v %v: got %v, then %v, %v", a, b, got, v.Load(bg), err)
	}
}

func TestValuesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		roundTrip(t, rapid.Int())
		roundTrip(t, rapid.Int8())
		roundTrip(t, rapid.Bool())
		roundTrip(t, rapid.Float32())
		roundTrip(t, rapid.Float64())
		roundTrip(t, rapid.String())
		roundTrip(t, rapid.Ptr(rapid.Int(), true))
		roundTrip(t, rapid.Custom(func(t *rapid.T) pair { return pair{rapid.Int16().Draw(t, "A"), rapid.Int16().Draw(t, "B")} }))
		roundTrip(t, rapid.Custom(func(t *rapid.T) padded { return padded{rapid.Int8().Draw(t, "A"), rapid.Int32().Draw(t, "B")} }))
		roundTrip(t, rapid.Map(rapid.Int(), func(n int) any { return n }))
	})
}

func TestNaN(t *testing.T) {
	v := NewVar(math.NaN())
	got, err := Query(bg, v.Get)
	require.NoError(t, err)
	require.True(t, math.IsNaN(got))
}

func TestUpdateAndErrorRollsBack(t *testing.T) {
	v := NewVar(1)
	require.NoError(t, Do(bg, func(tx *Tx) error { v.Update(tx, func(n int) int { return n + 1 }); return nil }))
	require.Equal(t, 2, v.Load(bg))
	n, err := Atomically(bg, func(tx *Tx) (int, error) {
		v.Set(tx, 9)
		return v.Get(tx), errBoom
	})
	require.ErrorIs(t, err, errBoom)
	require.Equal(t, 9, n, "the body's result comes with its error")
	require.Equal(t, 2, v.Load(bg))
	requireQuiet(t, v)
}

// A large transaction goes through the indexed write set.
func TestManyVars(t *testing.T) {
	vs := make([]*Var[int], 500)
	for i := range vs {
		vs[i] = NewVar(i)
	}
	for range 3 {
		require.NoError(t, Do(bg, func(tx *Tx) error {
			for _, v := range vs {
				v.Update(tx, func(n int) int { return n + 1 })
			}
			require.ErrorIs(t, Try(tx, func(tx *Tx) error {
				for _, v := range vs {
					v.Set(tx, -1)
				}
				NewVar(0).Set(tx, 1)
				return errBoom
			}), errBoom)
			for _, v := range vs {
				v.Update(tx, func(n int) int { return n + 1 })
			}
			return nil
		}))
	}
	for i, v := range vs {
		require.Equal(t, i+6, v.Load(bg))
	}
	requireQuiet(t, vs...)
}

func TestNoAllocations(t *testing.T) {
	if testing.CoverMode() != "" || raceEnabled {
		t.Skip("instrumented")
	}
	a, b, k := NewVar(0), NewVar(0), 0
	p, x := NewVar(new(int)), new(int)
	for name, f := range map[string]func(){
		"read": func() { _, _ = Query(bg, a.Get) },
		"write": func() {
			k++
			_ = Do(bg, func(tx *Tx) error { a.Set(tx, b.Get(tx)+k); p.Set(tx, x); return nil })
		},
		"error": func() { _ = Do(bg, func(tx *Tx) error { a.Set(tx, k); return errBoom }) },
		"select": func() {
			_, _ = Query(bg, func(tx *Tx) int {
				n, _ := Select(tx, func(tx *Tx) (int, error) { a.Set(tx, k); return 0, ErrRetry },
					func(tx *Tx) (int, error) { return k, nil })
				return n
			})
		},
		"orelse": func() {
			_, _ = Query(bg, func(tx *Tx) int {
				return OrElse(tx, Retry[int], func(tx *Tx) int { return k })
			})
		},
		"try": func() {
			_ = Do(bg, func(tx *Tx) error { _ = Try(tx, func(tx *Tx) error { a.Set(tx, k); return errBoom }); return nil })
		},
		"load": func() { k += a.Load(bg) },
	} {
		require.Zero(t, testing.AllocsPerRun(200, f), name)
	}
}
