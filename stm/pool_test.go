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
