package stm

import (
	"context"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// chaos ends a run in a random way, at a random point of its body.
func chaos(r *rand.Rand, tx *Tx) error {
	switch r.IntN(24) {
	case 0:
		return errBoom
	case 1:
		panic(errBoom)
	case 2:
		runtime.Goexit()
	case 3:
		tx.Retry()
	case 4:
		return ErrRetry
	case 5:
		_ = caught(tx.Retry)
	case 6, 7, 8:
		runtime.Gosched()
	}
	return nil
}

// Errors, panics, Goexit, waits, polls and cancellations at every point: what was committed adds up, and nothing stays
// locked or registered.
func TestChaos(t *testing.T) {
	const n, total = 5, 500
	vs := make([]*Var[int], n)
	for i := range vs {
		vs[i] = NewVar(total / n)
	}
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for k := range long.N(2_500, 250_000) {
				r := rand.New(rand.NewPCG(uint64(g), uint64(k)))
				ctx, cancel := context.WithCancel(bg)
				var inner sync.WaitGroup
				inner.Go(func() {
					defer func() { _ = recover() }()
					ill(ctx, r, vs)
				})
				for range k % 7 {
					runtime.Gosched()
				}
				cancel()
				inner.Wait()
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, v := range vs {
		sum += v.Load(bg)
	}
	require.Equal(t, total, sum)
	requireQuiet(t, vs...)
}

// ill moves money, if it gets so far.
func ill(ctx context.Context, r *rand.Rand, vs []*Var[int]) {
	move := func(tx *Tx) error {
		a, b, n := vs[r.IntN(len(vs))], vs[r.IntN(len(vs))], r.IntN(9)
		if err := chaos(r, tx); err != nil {
			return err
		}
		a.Set(tx, a.Get(tx)-n)
		err := Try(tx, func(tx *Tx) error { b.Set(tx, 0); return chaos(r, tx) })
		if isRetry(err) {
			return err
		} else if err == nil {
			return errBoom // b's money is gone: give up
		}
		b.Set(tx, b.Get(tx)+n)
		tx.Check(a.Get(tx) > -1000)
		return chaos(r, tx)
	}
	switch r.IntN(4) {
	case 0:
		_, w, _ := Poll(ctx, func(tx *Tx) int { _ = chaos(r, tx); return vs[0].Get(tx) })
		if w != nil {
			defer w.Stop()
			select {
			case <-w.C():
			case <-ctx.Done():
			}
		}
	case 1:
		_ = Do(ctx, func(tx *Tx) error {
			_, err := Select(tx, func(tx *Tx) (int, error) { return 0, move(tx) }, func(tx *Tx) (int, error) { return 0, move(tx) })
			return err
		})
	case 2: // loses until it is the serial one
		runs := 0
		_ = Do(ctx, func(tx *Tx) error {
			x := vs[1].Get(tx)
			if runs++; runs <= escalateAfter {
				_ = Do(bg, func(tx *Tx) error { vs[1].Set(tx, vs[1].Get(tx)); return nil })
				vs[1].Set(tx, x)
				return nil
			}
			return move(tx)
		})
	default:
		_ = Do(ctx, move)
	}
}
