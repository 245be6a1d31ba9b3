package stm

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// lag is how far v's version is beyond the clock.
func lag[T any](v *Var[T]) int64 { return int64(v.c.lock.Load() - clock.Load()) }

// Versions run ahead of the clock, since writers do not advance it, but not far.
func TestVersionsStayNearTheClock(t *testing.T) {
	v, most := NewVar(0), int64(0)
	for range 1_000 {
		require.NoError(t, Do(bg, add(v, 1)))
		most = max(most, lag(v))
		require.LessOrEqual(t, most, int64(ahead))
	}
	require.Greater(t, most, int64(10*tick))
}

// Small transactions on Vars that only they use leave the clock alone; larger ones advance it, and read on in a
// snapshot.
func TestLooseReads(t *testing.T) {
	vs := make([]*Var[int], 8)
	for i := range vs {
		vs[i] = NewVar(0)
	}
	bump := func(i int) { onItsOwn(func() { _ = Do(bg, add(vs[i], 1)) }) }
	sum := func(tx *Tx, n int) (sum int) {
		for _, v := range vs[:n] {
			sum += v.Get(tx)
		}
		return sum
	}
	for i := range vs {
		bump(i)
	}
	before := clock.Load()
	for n := range looseReads {
		got, _ := Query(bg, func(tx *Tx) int { return sum(tx, n+1) })
		require.Equal(t, n+1, got)
	}
	require.Equal(t, before, clock.Load())
	got, _ := Query(bg, func(tx *Tx) int { return sum(tx, 8) })
	require.Equal(t, 8, got)
	require.Greater(t, clock.Load(), before)

	// Whatever changes under a run at whatever point: it sees one moment, and goes on if what changes is still to come.
	for read := range 8 {
		for change := range 8 {
			for _, fresh := range []int{0, 1, 3, 7} { // these were committed after the clock was last advanced
				runs := 0
				got, err := Query(bg, func(tx *Tx) int {
					runs++
					x := sum(tx, read)
					if runs == 1 {
						bump(change)
						bump(7)
					}
					return x + sum(tx, 8) - sum(tx, read)
				})
				require.NoError(t, err)
				want := 0
				for _, v := range vs {
					want += v.Load(bg)
				}
				require.Equal(t, want, got, "%d read, %d changed", read, change)
				if change >= read {
					require.Equal(t, 1, runs, "%d read, %d changed: the snapshot moves", read, change)
				}
				bump(fresh)
			}
		}
	}
}

// A pair of Vars that are always equal, handed from goroutine to goroutine: the ends of the engine that meet only when
// readers and writers run at the same time.
func TestHandover(t *testing.T) {
	a, b := NewVar(0), NewVar("0")
	var wg sync.WaitGroup
	texts := []string{"0", "1", "2", "3", "4"}
	for range 3 {
		wg.Go(func() {
			for range 10_000 {
				_ = Do(bg, func(tx *Tx) error {
					n := (a.Get(tx) + 1) % len(texts)
					a.Set(tx, n)
					b.Set(tx, texts[n])
					return nil
				})
			}
		})
		wg.Go(func() {
			for range 10_000 {
				_ = Do(bg, func(tx *Tx) error {
					if n, s := a.Get(tx), b.Get(tx); texts[n] != s {
						t.Error(n, s)
					}
					return nil
				})
			}
		})
	}
	wg.Wait()
}
