package stm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Who waits for locks takes them in the order of addresses, whatever the order of the writes, so that no two committers
// wait for each other; few and many.
func TestLocksAreTakenInOneOrder(t *testing.T) {
	vs := make([]Var[int], 40)
	for _, n := range []int{2, 20, 40} {
		err := Do(bg, func(tx *Tx) error {
			for i := range n {
				vs[(n-1-i)*13%n].Set(tx, i)
			}
			tx.sortLocks()
			require.Len(t, tx.order, n)
			for i := 1; i < n; i++ {
				require.Less(t, address(tx.ws[tx.order[i-1]].c), address(tx.ws[tx.order[i]].c))
			}
			return errBoom
		})
		require.ErrorIs(t, err, errBoom)
	}
}
