package stm

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// loses loses n runs because of v, some at a read and some at the commit.
func loses(t *testing.T, v *Var[int], n int) {
	runs, other := 0, NewVar(0)
	require.NoError(t, Do(bg, func(tx *Tx) error {
		x := v.Get(tx)
		if runs++; runs <= n {
			require.NoError(t, Do(bg, func(tx *Tx) error { _ = add(v, 1)(tx); return add(other, 1)(tx) }))
			if runs%2 == 0 {
				other.Get(tx)
			}
		}
		other.Set(tx, x)
		return nil
	}))
}

func TestContention(t *testing.T) {
	hot, warm := NewVar(0).Label("hot"), NewVar(0)
	loses(t, hot, 3)
	c := RecordContention(1)
	loses(t, hot, 3)
	loses(t, hot, 2)
	loses(t, warm, 1)
	_, _ = Query(bg, hot.Get)
	c.Stop()
	c.Stop()
	loses(t, hot, 4)
	got := c.Conflicts()
	require.Len(t, got, 2)
	require.Equal(t, []int64{5, 1}, []int64{got[0].Lost, got[1].Lost})
	require.Equal(t, []string{"hot", "(unlabelled)"}, []string{got[0].Var, got[1].Var})
	require.Regexp(t, `^stm.loses contention_test.go:\d+$`, got[0].Transaction)
	require.Regexp(t, `^runs lost  Var           transaction\n5          hot           stm.loses contention_test.go:\d+\n1          \(unlabelled\)  stm.loses contention_test.go:\d+\n$`, c.String())
}

// The sample stands for all.
func TestContentionSampled(t *testing.T) {
	hot := NewVar(0).Label("hot")
	first := RecordContention(1)
	c := RecordContention(4)
	defer c.Stop()
	for range 8 {
		loses(t, hot, 4)
	}
	require.EqualValues(t, 32, c.Conflicts()[0].Lost)
	require.Empty(t, first.Conflicts(), "a later record takes the place of an earlier one")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				_ = Do(bg, add(hot, 1))
			}
		})
	}
	wg.Wait()
	first.Stop()
	require.Same(t, c, contention.Load())
}

// BenchmarkLostRun is a transaction that loses one run, without a record and with one.
func BenchmarkLostRun(b *testing.B) {
	v := NewVar(0)
	lose := func(b *testing.B) {
		for b.Loop() {
			lost := false
			_ = Do(bg, func(tx *Tx) error {
				x := v.Get(tx)
				if !lost {
					lost = true
					_ = Do(bg, add(v, 1))
				}
				v.Set(tx, x)
				return nil
			})
		}
	}
	b.Run("record=none", lose)
	for _, every := range []int{100, 1} {
		b.Run(map[int]string{100: "record=every-100th", 1: "record=all"}[every], func(b *testing.B) {
			defer RecordContention(every).Stop()
			lose(b)
		})
	}
}
