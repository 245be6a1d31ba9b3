package stm_test

import (
	oracle "github.com/anacrolix/stm"

	"github.com/synodkit/synod/stm"
)

// bothVars makes equal memories for the two engines.
func bothVars(n int) (a []*stm.Var[int], b []*oracle.Var[int]) {
	for range n {
		a = append(a, stm.NewVar(0))
		b = append(b, oracle.NewVar(0))
	}
	return a, b
}
