package randeffects

import (
	"context"
	"crypto/ed25519"
	crypto "crypto/rand"
	"math/rand"
	v2 "math/rand/v2"

	"kit/env"
	"kit/stm"
)

func bad(ctx context.Context, r *v2.Rand) {
	_ = stm.Do(ctx, func(tx *stm.Tx) error {
		_ = rand.Intn(3)                                // want `rand.Intn in a transaction: draw before the transaction, .* \[rand\]`
		_ = v2.N(3)                                     // want `rand.N`
		_ = r.IntN(3)                                   // want `Rand.IntN`
		crypto.Read(nil)                                // want `rand.Read`
		_ = env.Rand(ctx).Perm(3)                       // want `env.Rand`
		_ = env.Choose(ctx, "x", 3)                     // want `env.Choose`
		_, _, err := ed25519.GenerateKey(crypto.Reader) // want `crypto/rand.Reader`
		return err
	})
}
