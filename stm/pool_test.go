package stm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who takes a Tx has it alone until it is released, also if others look for one from the same place.
func TestTxHasOneUser(t *testing.T) {
	held := map[*Tx]bool{}
	for range 100 {
		tx := acquire()
		require.False(t, held[tx], "taken twice")
		held[tx] = true
	}
	for tx := range held {
		tx.release()
	}
}

// What a large transaction needed is not kept for small ones.
func TestLargeBuffersAreDropped(t *testing.T) {
	vars := make([]*Var[int], 3*keepMost)
	for i := range vars {
		vars[i] = NewVar(i)
	}
	for n := keepMost / 2; n <= len(vars); n += 512 {
		var tx *Tx
		_, err := Query(bg, func(q *Tx) (sum int) {
			tx = q
			for _, v := range vars[:n] {
				sum += v.Get(q)
			}
			return sum
		})
		require.NoError(t, err)
		require.LessOrEqual(t, cap(tx.rs), keepMost, "after %d reads", n)
	}
}
