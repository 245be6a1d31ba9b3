package stm

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// Large write sets, with parts undone, read what a map would: in one Tx again and again, so that old entries of its index
// lie about.
func TestLargeWriteSets(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	vs := make([]*Var[int], 300)
	for i := range vs {
		vs[i] = NewVar(i)
	}
	model := func(now map[int]int, i int) int {
		if x, ok := now[i]; ok {
			return x
		}
		return i
	}
	for range long.N(200, 5_000) {
		some := 1 + r.IntN(len(vs))
		err := Do(bg, func(tx *Tx) error {
			now := map[int]int{}
			steps := func(n int, on map[int]int) {
				for range n {
					i := r.IntN(some)
					require.Equal(t, model(on, i), vs[i].Get(tx))
					on[i] = r.Int()
					vs[i].Set(tx, on[i])
				}
			}
			for range 4 {
				steps(r.IntN(60), now)
				_ = Try(tx, func(tx *Tx) error {
					undone := map[int]int{}
					for i, x := range now {
						undone[i] = x
					}
					steps(r.IntN(120), undone)
					return errBoom
				})
			}
			for i := range vs {
				require.Equal(t, model(now, i), vs[i].Get(tx))
			}
			return errBoom
		})
		require.ErrorIs(t, err, errBoom)
	}
}
