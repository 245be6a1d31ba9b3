package stm

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// A transaction that is parked when debugging begins goes on as it began.
func TestDebugBeginsWhileParked(t *testing.T) {
	v := NewVar(0)
	var got int
	var panicked any
	var wg sync.WaitGroup
	wg.Go(func() {
		panicked = caught(func() {
			got, _ = Query(bg, func(tx *Tx) int {
				return OrElse(tx, func(tx *Tx) int { tx.Check(v.Get(tx) > 10); return 1 },
					func(tx *Tx) int { tx.Check(v.Get(tx) > 0); return 2 })
			})
		})
	})
	awaitWaiting(v, 1)
	stop := Debug()
	defer stop()
	set(t, v, 1)
	wg.Wait()
	require.Nil(t, panicked)
	require.Equal(t, 2, got)
}
