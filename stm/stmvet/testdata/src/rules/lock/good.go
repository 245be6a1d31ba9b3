package lock

import (
	"sync"

	"kit/stm"
)

// A lock of one's own that takes the transaction is none of sync's.
type own struct{ held stm.Var[bool] }

func (o *own) Lock(tx *stm.Tx) { tx.Check(!o.held.Get(tx)); o.held.Set(tx, true) }

func good(tx *stm.Tx, o *own, m *sync.Map) *sync.Mutex {
	o.Lock(tx)
	tx.OnCommit(func() {
		var mu sync.Mutex
		mu.Lock()
		mu.Unlock()
	})
	return &sync.Mutex{}
}

func outside(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}
