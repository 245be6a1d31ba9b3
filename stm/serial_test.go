package stm

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// A transaction that has lost often enough reserves what it touches: readers go on, writers of the same Vars wait, and
// writers of others do not notice.
func TestSerialReserves(t *testing.T) {
	a, b, other := NewVar(0), NewVar(0), NewVar(0)
	var wg sync.WaitGroup
	require.NoError(t, inSerial(t, a, func(tx *Tx) error {
		require.Equal(t, escalateAfter, a.Get(tx))
		b.Get(tx)
		done := make(chan int)
		go func() { n, _ := Query(bg, func(tx *Tx) int { return a.Get(tx) + b.Get(tx) }); done <- n }()
		require.Equal(t, escalateAfter, <-done, "a reader is not disturbed")
		go func() { done <- b.Load(bg) }()
		require.Zero(t, <-done)
		go func() { _ = Do(bg, add(other, 1)); done <- 1 }()
		<-done
		wg.Go(func() { _ = Do(bg, add(b, 100)) })
		wg.Go(func() { _ = Do(bg, add(a, 100)) })
		b.Set(tx, 1)
		return nil
	}))
	wg.Wait()
	require.Equal(t, []int{escalateAfter + 100, 101, 1}, []int{a.Load(bg), b.Load(bg), other.Load(bg)})
	requireQuiet(t, a, b, other)
}

func TestSerialErrorAndRetry(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	require.ErrorIs(t, inSerial(t, a, func(tx *Tx) error { b.Get(tx); a.Set(tx, 1000); return errBoom }), errBoom)
	requireQuiet(t, a, b)
	var wg sync.WaitGroup
	wg.Go(func() {
		runs := 0
		_ = Do(bg, func(tx *Tx) error {
			x := a.Get(tx)
			if runs++; runs <= escalateAfter {
				provoke(t, a)
				a.Set(tx, x)
				return nil
			}
			tx.Check(b.Get(tx) > 0)
			b.Set(tx, 7)
			return nil
		})
	})
	awaitWaiting(b, 1)
	require.True(t, serialTurn.TryLock(), "a wait gives the turn back")
	serialTurn.Unlock()
	set(t, b, 1)
	wg.Wait()
	require.Equal(t, 7, b.Load(bg))
	requireQuiet(t, a, b)
}

// However often others get in first, a transaction needs at most 17 runs, also a long one: whichever of its Vars they
// change, while it runs or at its end.
func TestAttemptsAreBounded(t *testing.T) {
	vs := make([]*Var[int], long.N(100, 1_000))
	for i := range vs {
		vs[i] = NewVar(0)
	}
	runs := 0
	require.NoError(t, Do(bg, func(tx *Tx) error {
		runs++
		for i, v := range vs {
			v.Set(tx, v.Get(tx)+1000)
			if tx.mode != serial && i == len(vs)-runs%len(vs) {
				provoke(t, vs[i/2])
			}
		}
		return nil
	}))
	require.Equal(t, 17, runs)
	for i, v := range vs {
		require.GreaterOrEqual(t, v.Load(bg), 1000, i)
	}
	requireQuiet(t, vs...)
}

// A long transaction commits against writers that always get in first, within a bounded number of runs.
func TestNobodyStarves(t *testing.T) {
	vs := make([]*Var[int], long.N(200, 1_000))
	for i := range vs {
		vs[i] = NewVar(0)
	}
	var wg sync.WaitGroup
	stop := NewVar(false)
	for g := range 2 {
		wg.Go(func() {
			for i := g; !stop.Load(bg); i++ {
				_ = Do(bg, add(vs[i%len(vs)], 1))
			}
		})
	}
	for range 20 {
		runs := 0
		require.NoError(t, Do(bg, func(tx *Tx) error {
			runs++
			for _, v := range vs {
				v.Update(tx, func(n int) int { return n + 1 })
			}
			return nil
		}))
		require.LessOrEqual(t, runs, escalateAfter+1)
	}
	set(t, stop, true)
	wg.Wait()
	requireQuiet(t, vs...)
}

// Many transactions that need the serial turn at once, over each other's Vars in different orders.
func TestSerialCrowd(t *testing.T) {
	vs := []*Var[int]{NewVar(0), NewVar(0), NewVar(0), NewVar(0)}
	var wg sync.WaitGroup
	const goroutines, rounds = 6, 60
	for g := range goroutines {
		wg.Go(func() {
			for r := range rounds {
				runs := 0
				_ = Do(bg, func(tx *Tx) error {
					first := vs[(g+r)%4]
					x := first.Get(tx)
					if runs++; runs <= escalateAfter {
						provoke(t, first)
						first.Set(tx, x)
						return nil
					}
					for i := range vs {
						_ = add(vs[(g*i+r)%4], 1)(tx)
					}
					return nil
				})
				_ = Do(bg, add(vs[r%4], 1))
			}
		})
	}
	wg.Wait()
	requireQuiet(t, vs...)
}

// A first read that meets a reservation is the first: the next is checked against it.
func TestFirstReadOfReserved(t *testing.T) {
	a, b := NewVar(0), NewVar(0)
	require.NoError(t, inSerial(t, a, func(tx *Tx) error {
		b.Get(tx) // reserved now
		onItsOwn(func() {
			_, err := Query(bg, func(tx *Tx) int {
				require.EqualValues(t, serialBit, tx.fast, "any version will do")
				b.Get(tx)
				require.Equal(t, tx.snap, tx.fast, "only what is in the snapshot will")
				return 0
			})
			require.NoError(t, err)
		})
		return nil
	}))
	requireQuiet(t, a, b)
}

// A serial run that reads nothing gives up its turn as any other does.
func TestSerialRunWithoutReads(t *testing.T) {
	v, w, runs := NewVar(0), NewVar(0), 0
	require.NoError(t, Do(bg, func(tx *Tx) error {
		if runs++; runs > escalateAfter {
			require.Equal(t, serial, tx.mode)
			w.Set(tx, 1)
			return nil
		}
		x := v.Get(tx)
		provoke(t, v)
		v.Set(tx, x)
		return nil
	}))
	require.Equal(t, 1, w.Load(bg))
	require.True(t, serialTurn.TryLock(), "the turn is held for ever")
	serialTurn.Unlock()
	requireQuiet(t, v, w)
}
