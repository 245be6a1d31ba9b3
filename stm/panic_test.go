package stm

import (
	"context"
	"runtime"
	"runtime/debug"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// inSerial runs body once as the serial transaction.
func inSerial(t testing.TB, v *Var[int], body func(tx *Tx) error) error {
	t.Helper()
	runs := 0
	return Do(bg, func(tx *Tx) error {
		x := v.Get(tx)
		if runs++; runs <= escalateAfter {
			require.NotEqual(t, serial, tx.mode)
			provoke(t, v)
			v.Set(tx, x)
			return nil
		}
		require.Equal(t, serial, tx.mode)
		return body(tx)
	})
}

//go:noinline
func explode() { panic("user") }

func TestPanicPassesThrough(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	bodies := map[string]func(){
		"plain": func() { _ = Do(bg, func(tx *Tx) error { a.Set(tx, 1); b.Get(tx); explode(); return nil }) },
		"nested": func() {
			_ = Do(bg, func(tx *Tx) error {
				OrElse(tx, func(tx *Tx) int {
					_ = Try(tx, func(tx *Tx) error { a.Set(tx, 1); explode(); return nil })
					return 0
				}, a.Get)
				return nil
			})
		},
		"serial": func() { _ = inSerial(t, a, func(tx *Tx) error { a.Set(tx, 1); b.Get(tx); explode(); return nil }) },
	}
	for name, f := range bodies {
		func() {
			defer func() {
				require.Equal(t, "user", recover(), name)
				require.Contains(t, string(debug.Stack()), "stm.explode", "%s: the stack must reach the panic", name)
			}()
			f()
		}()
		requireQuiet(t, a, b)
		require.NoError(t, Do(bg, add(b, 1)), "the Vars are usable after %s", name)
	}
}

func TestGoexitPassesThrough(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	bodies := map[string]func(){
		"plain":  func() { _ = Do(bg, func(tx *Tx) error { a.Set(tx, 1); runtime.Goexit(); return nil }) },
		"serial": func() { _ = inSerial(t, a, func(tx *Tx) error { b.Set(tx, 1); runtime.Goexit(); return nil }) },
		"while unwinding": func() {
			_ = Do(bg, func(tx *Tx) error {
				defer runtime.Goexit()
				OrElse(tx, func(tx *Tx) int { defer runtime.Goexit(); a.Set(tx, 1); return Retry[int](tx) }, b.Get)
				return nil
			})
		},
	}
	for name, f := range bodies {
		var wg sync.WaitGroup
		returned := false
		wg.Go(func() { f(); returned = true })
		wg.Wait()
		require.False(t, returned, name)
		requireQuiet(t, a, b)
		require.Zero(t, b.Load(bg), name)
	}
}

// A body that recovers everything cannot make a run commit that has retried or lost.
func TestRecoverCannotSwallow(t *testing.T) {
	a, gate := NewVar(0), NewVar(false)
	swallow := func(f func()) { _ = caught(f) }
	bodies := map[string]func(tx *Tx) error{
		"retry": func(tx *Tx) error { swallow(tx.Retry); return nil },
		"twice": func(tx *Tx) error { swallow(tx.Retry); swallow(tx.Retry); swallow(func() { a.Set(tx, 2) }); return nil },
		"error": func(tx *Tx) error { swallow(tx.Retry); return errBoom },
		"try":   func(tx *Tx) error { _ = Try(tx, func(tx *Tx) error { swallow(tx.Retry); return nil }); return nil },
		"orelse": func(tx *Tx) error {
			OrElse(tx, func(tx *Tx) int { swallow(tx.Retry); return 1 }, Retry[int])
			return nil
		},
		"ignored": func(tx *Tx) error { _, _ = Select(tx, func(tx *Tx) (int, error) { return 0, ErrRetry }); return nil },
		"ignored try": func(tx *Tx) error {
			_ = Try(tx, func(tx *Tx) error { return ErrRetry })
			a.Set(tx, 3)
			return nil
		},
		"replaced": func(tx *Tx) error {
			defer func() { panic(recover()) }()
			tx.Retry()
			return nil
		},
	}
	for name, body := range bodies {
		set(t, a, 0)
		set(t, gate, false)
		var wg sync.WaitGroup
		runs := 0
		wg.Go(func() {
			if err := Do(bg, func(tx *Tx) error {
				runs++
				a.Set(tx, 1)
				if !gate.Get(tx) {
					return body(tx)
				}
				return nil
			}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
		awaitWaiting(gate, 1)
		require.Zero(t, a.Load(bg), name)
		set(t, gate, true)
		wg.Wait()
		require.Equal(t, 2, runs, name)
		require.Equal(t, 1, a.Load(bg), name)
		requireQuiet(t, a)
	}
	// The same for a run that has lost.
	v, w, runs := NewVar(0), NewVar(0), 0
	require.NoError(t, Do(bg, func(tx *Tx) error {
		v.Get(tx)
		if runs++; runs == 1 {
			require.NoError(t, Do(bg, func(tx *Tx) error { v.Set(tx, 1); w.Set(tx, 1); return nil }))
			swallow(func() { w.Get(tx); t.Error("a zombie saw two moments") })
			swallow(func() { _ = Try(tx, func(*Tx) error { return nil }); t.Error("a doomed run went on") })
		}
		w.Set(tx, v.Get(tx)+10)
		return nil
	}))
	require.Equal(t, []int{2, 11}, []int{runs, w.Load(bg)})
}

func TestMisuse(t *testing.T) {
	v := NewVar(0)
	var leaked *Tx
	require.NoError(t, Do(bg, func(tx *Tx) error { leaked = tx; return nil }))
	for name, f := range map[string]func(){
		"get": func() { v.Get(leaked) }, "set": func() { v.Set(leaked, 1) }, "retry": func() { leaked.Retry() },
		"try": func() { _ = Try(leaked, func(*Tx) error { return nil }) }, "hook": func() { leaked.OnCommit(nil) },
		"orelse": func() { OrElse(leaked, v.Get, v.Get) }, "now": func() { leaked.Now() },
		"select": func() { _, _ = Select[int](leaked) },
	} {
		require.Equal(t, "stm: Tx used outside its function", caught(f), name)
	}
	const forever = "stm: Retry with nothing read would wait for ever"
	require.Equal(t, forever, caught(func() { _ = Do(bg, func(tx *Tx) error { tx.Retry(); return nil }) }))
	require.Equal(t, forever, caught(func() { _, _, _ = Poll(bg, Retry[int]) }))
	ctx, cancel := context.WithCancel(bg)
	cancel()
	require.ErrorIs(t, Do(ctx, func(tx *Tx) error { return ErrRetry }), context.Canceled, "with a ctx it is a wait for its end")
}

// A goroutine that uses the runtime's bit for itself keeps it, and may escalate.
func TestSerialKeepsSetPanicOnFault(t *testing.T) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	a := NewVar(0)
	require.NoError(t, inSerial(t, a, func(tx *Tx) error { a.Set(tx, 1); return nil }))
	require.True(t, debug.SetPanicOnFault(true))
	require.Equal(t, 1, a.Load(bg))
}

// The serial transaction's body holds Vars: a transaction inside it is refused instead of waiting for itself.
func TestNestedInSerialIsRefused(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	r := caught(func() { _ = inSerial(t, a, func(tx *Tx) error { return Do(bg, add(a, 1)) }) })
	require.Equal(t, "stm: a transaction inside the body of another", r)
	requireQuiet(t, a, b)
	r = caught(func() { // one that always loses is nested for ever, were it not refused
		_ = Do(bg, func(tx *Tx) error { x := a.Get(tx); provoke(t, a); a.Set(tx, x); return nil })
	})
	require.Equal(t, "stm: a transaction inside the body of another", r)
	requireQuiet(t, a, b)
}
