package tmap_test

import (
	"context"
	"testing"

	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/stm/tmap"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// do runs f, which must not fail, as a transaction.
func do(f func(tx *stm.Tx)) {
	err := stm.Do(context.Background(), func(tx *stm.Tx) error {
		f(tx)
		return nil
	})
	if err != nil {
		panic(err)
	}
}

// ask runs a query.
func ask[T any](q func(tx *stm.Tx) T) T {
	x, err := stm.Query(context.Background(), q)
	if err != nil {
		panic(err)
	}
	return x
}

func content[K comparable, V any](m *tmap.Map[K, V]) map[K]V {
	got := map[K]V{}
	for k, v := range ask(m.All) {
		got[k] = v
	}
	return got
}
