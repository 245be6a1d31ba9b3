package env

import (
	"context"
	"math/rand/v2"

	"github.com/synodkit/synod/internal/seam"
)

// machine draws from the process-wide generator, which is seeded by the runtime and safe for concurrent use.
type machine struct{}

func (machine) Uint64() uint64 { return rand.Uint64() }

// Rand is the world's source of chance: in a simulation it follows from the seed. It is not for secrets.
func Rand(ctx context.Context) *rand.Rand {
	if w := seam.From(ctx); w != nil {
		return w.Rand()
	}
	return rand.New(machine{})
}

// Choose picks one of 0..n-1. In a simulation it is a named choice, seen in the trace. It panics if n < 1.
func Choose(ctx context.Context, label string, n int) int {
	if n < 1 {
		panic("env: Choose " + label + " of nothing")
	}
	if w := seam.From(ctx); w != nil {
		return w.Choose(label, n)
	}
	return rand.IntN(n)
}
