package randeffects

import (
	"context"
	v2 "math/rand/v2"

	"kit/env"
	"kit/stm"
)

func good(ctx context.Context, seed uint64) {
	n := env.Rand(ctx).IntN(3)
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		r := v2.New(v2.NewPCG(seed, uint64(n)))
		r.Shuffle(n, func(i, j int) {})
		return nil
	})
}
