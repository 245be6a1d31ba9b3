package stm

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
)

var errBoom = errors.New("boom")

func TestTryUndoesAlone(t *testing.T) {
	a, b := NewVar(0), NewVar("x")
	log := ""
	require.NoError(t, Do(bg, func(tx *Tx) error {
		a.Set(tx, 5)
		tx.OnCommit(func() { log += "outer" })
		err := Try(tx, func(tx *Tx) error {
			a.Set(tx, 9)
			b.Set(tx, "z")
			tx.OnCommit(func() { log += "inner" })
			return errBoom
		})
		require.ErrorIs(t, err, errBoom)
		require.Equal(t, 5, a.Get(tx))
		require.Equal(t, "x", b.Get(tx))
		return Try(tx, func(tx *Tx) error { b.Set(tx, "y"); tx.OnCommit(func() { log += "+kept" }); return nil })
	}))
	require.Equal(t, 5, a.Load(bg))
	require.Equal(t, "y", b.Load(bg))
	require.Equal(t, "outer+kept", log)
}

func TestOrElseAndSelectUndoWhatRetried(t *testing.T) {
	spellings := map[string]func(tx *Tx) (int, error){
		"panic": func(tx *Tx) (int, error) { tx.Retry(); return 0, nil },
		"error": func(tx *Tx) (int, error) { return 0, ErrRetry },
	}
	for name, retry := range spellings {
		a, b := NewVar(1), NewVar(1)
		log := ""
		left := func(tx *Tx) (int, error) {
			a.Set(tx, 6)
			b.Set(tx, 6)
			tx.OnCommit(func() { log += "left" })
			return retry(tx)
		}
		got, err := Atomically(bg, func(tx *Tx) (int, error) {
			a.Set(tx, 5)
			return Select(tx, left, left, func(tx *Tx) (int, error) {
				require.Equal(t, 5, a.Get(tx), name)
				require.Equal(t, 1, b.Get(tx), name)
				b.Set(tx, 7)
				return 3, nil
			})
		})
		require.NoError(t, err)
		require.Equal(t, 3, got)
		require.Equal(t, []int{5, 7}, []int{a.Load(bg), b.Load(bg)}, name)
		require.Empty(t, log)
	}
	a := NewVar(1)
	got, err := Query(bg, func(tx *Tx) int {
		return OrElse(tx, func(tx *Tx) int { a.Set(tx, 2); return Retry[int](tx) }, a.Get)
	})
	require.NoError(t, err)
	require.Equal(t, 1, got)
}

// A Retry that passes through a nested Try must restore the savepoint of the OrElse around it, not of the Try.
func TestRetryThroughTryKeepsSavepoint(t *testing.T) {
	a, b := NewVar(0), NewVar("x")
	got, err := Query(bg, func(tx *Tx) int {
		a.Set(tx, 5)
		return OrElse(tx, func(tx *Tx) int {
			a.Set(tx, 6)
			b.Set(tx, "y")
			_ = Try(tx, func(tx *Tx) error { a.Set(tx, 7); tx.Retry(); return nil })
			return 1
		}, func(tx *Tx) int {
			require.Equal(t, 5, a.Get(tx))
			require.Equal(t, "x", b.Get(tx))
			a.Set(tx, a.Get(tx)+1)
			return 2
		})
	})
	require.NoError(t, err)
	require.Equal(t, 2, got)
	require.Equal(t, 6, a.Load(bg))
}

// After a nested branch was kept, undoing the outer one must still restore what the nested one has overwritten.
func TestKeptBranchInsideUndoneBranch(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	require.NoError(t, Do(bg, func(tx *Tx) error {
		a.Set(tx, 1)
		err := Try(tx, func(tx *Tx) error {
			b.Set(tx, 1)
			require.NoError(t, Try(tx, func(tx *Tx) error { a.Set(tx, 2); b.Set(tx, 2); return nil }))
			a.Set(tx, 3)
			return errBoom
		})
		require.ErrorIs(t, err, errBoom)
		require.Equal(t, 1, a.Get(tx))
		require.Equal(t, 0, b.Get(tx))
		return nil
	}))
	require.Equal(t, []int{1, 0}, []int{a.Load(bg), b.Load(bg)})
}

// After a nested branch was undone, the outer one must still record what it overwrites.
func TestFailedBranchInsideUndoneBranch(t *testing.T) {
	a := NewVar(0)
	got, err := Query(bg, func(tx *Tx) int {
		a.Set(tx, 1)
		return OrElse(tx, func(tx *Tx) int {
			_ = Try(tx, func(tx *Tx) error { a.Set(tx, 2); return errBoom })
			a.Set(tx, 3)
			return Retry[int](tx)
		}, a.Get)
	})
	require.NoError(t, err)
	require.Equal(t, 1, got)
	require.Equal(t, 1, a.Load(bg))
}

func TestSelectAlternativeWithError(t *testing.T) {
	a := NewVar(1)
	require.NoError(t, Do(bg, func(tx *Tx) error {
		_, err := Select(tx,
			func(tx *Tx) (int, error) { a.Set(tx, 2); return 0, errBoom },
			func(tx *Tx) (int, error) { t.Error("must not run"); return 0, nil })
		require.ErrorIs(t, err, errBoom)
		require.Equal(t, 1, a.Get(tx), "an alternative that fails is undone")
		return nil
	}))
}

// A panic that the body recovers by itself has undone the branch it left, and no more.
func TestRecoveredPanicUndoesItsBranch(t *testing.T) {
	branches := map[string]func(tx *Tx, f func(tx *Tx) error){
		"try":    func(tx *Tx, f func(tx *Tx) error) { _ = Try(tx, f) },
		"orelse": func(tx *Tx, f func(tx *Tx) error) { OrElse(tx, func(tx *Tx) error { return f(tx) }, f) },
		"select": func(tx *Tx, f func(tx *Tx) error) {
			_, _ = Select(tx, func(tx *Tx) (int, error) { return 0, f(tx) })
		},
	}
	for name, branch := range branches {
		a, b := NewVar(1), NewVar(1)
		require.NoError(t, Do(bg, func(tx *Tx) error {
			a.Set(tx, 2)
			require.Equal(t, "user", caught(func() {
				branch(tx, func(tx *Tx) error { a.Set(tx, 3); b.Set(tx, 3); panic("user") })
			}), name)
			require.Equal(t, 2, a.Get(tx), name)
			b.Update(tx, func(n int) int { return n + 10 })
			return nil
		}))
		require.Equal(t, []int{2, 11}, []int{a.Load(bg), b.Load(bg)}, name)
		requireQuiet(t, a, b)
	}
}

func TestOnCommitOfFailedTransactionIsDropped(t *testing.T) {
	v, runs, hooks := NewVar(0), 0, 0
	require.NoError(t, Do(bg, func(tx *Tx) error {
		tx.OnCommit(func() { hooks++ })
		x := v.Get(tx)
		if runs++; runs < 4 {
			provoke(t, v)
		}
		v.Set(tx, x+1)
		return nil
	}))
	require.Equal(t, []int{4, 1}, []int{runs, hooks})
	_ = Do(bg, func(tx *Tx) error { tx.OnCommit(func() { hooks++ }); return errBoom })
	require.Equal(t, 1, hooks)
	require.NoError(t, Do(bg, func(tx *Tx) error {
		tx.OnCommit(func() { require.NoError(t, Do(bg, add(v, 1)), "a hook may run transactions") })
		v.Set(tx, 100)
		return nil
	}))
	require.Equal(t, 101, v.Load(bg))
}

// Alternatives of both spellings in any mixture, and none at all.
func TestSelectOfMany(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	for n := range 6 {
		for mixture := range 1 << n {
			tried := 0
			got, err := Query(bg, func(tx *Tx) string {
				var alternatives []func(tx *Tx) (string, error)
				for i := range n {
					alternatives = append(alternatives, func(tx *Tx) (string, error) {
						require.Equal(t, i, tried, "in order, each once")
						require.Zero(t, a.Get(tx))
						tried++
						a.Set(tx, 1)
						if mixture>>i&1 == 0 {
							return "", ErrRetry
						}
						tx.Retry()
						return "", nil
					})
				}
				return OrElse(tx, func(tx *Tx) string {
					b.Set(tx, 1)
					s, err := Select(tx, alternatives...)
					require.ErrorIs(t, err, ErrRetry)
					return s
				}, func(tx *Tx) string { return "none" })
			})
			require.NoError(t, err)
			require.Equal(t, []any{"none", n, 0, 0}, []any{got, tried, a.Load(bg), b.Load(bg)})
		}
	}
}
