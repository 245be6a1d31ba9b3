package stm

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"
)

var bg = context.Background()

// requireQuiet asserts that v is neither locked nor reserved and that nobody is registered with it.
func requireQuiet[T any](t require.TestingT, vs ...*Var[T]) {
	if h, ok := t.(interface{ Helper() }); ok {
		h.Helper()
	}
	for i, v := range vs {
		require.Zero(t, v.c.lock.Load()&(lockBit|serialBit), "Var %d is locked", i)
		if x := v.c.extra.Load(); x != nil {
			require.Zero(t, waiters(v), "Var %d has waiters", i)
			require.Nil(t, x.first, "Var %d has waiters", i)
			require.Nil(t, x.kept.Load(), "Var %d keeps old values", i)
		}
	}
	require.True(t, serialTurn.TryLock(), "the serial turn is taken")
	serialTurn.Unlock()
}

// awaitWaiting returns when n waits are registered with v.
func awaitWaiting[T any](v *Var[T], n int) {
	for range 20_000_000 {
		if waiters(v) == n {
			return
		}
		runtime.Gosched()
	}
	panic("nobody waits")
}

// waiters is the number of waits registered with v.
func waiters[T any](v *Var[T]) (n int) {
	x := v.c.more()
	x.mu.Lock()
	defer x.mu.Unlock()
	for p := x.first; p != nil; p = p.next {
		n++
	}
	return n
}

func add(v *Var[int], n int) func(tx *Tx) error {
	return func(tx *Tx) error {
		v.Set(tx, v.Get(tx)+n)
		return nil
	}
}

func set[T any](t testing.TB, v *Var[T], x T) {
	t.Helper()
	require.NoError(t, Do(bg, func(tx *Tx) error { v.Set(tx, x); return nil }))
}

// provoke makes the run it is called in lose: v changes behind its back.
func provoke(t testing.TB, v *Var[int]) {
	t.Helper()
	require.NoError(t, Do(bg, add(v, 1)))
}

// caught is the value f panics with.
func caught(f func()) (r any) {
	defer func() { r = recover() }()
	f()
	return nil
}
