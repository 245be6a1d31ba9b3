package proptest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
)

// Simulate runs a scenario in a simulated world; a test makes it of sim.Run.
type Simulate func(seed uint64, scenario func(ctx context.Context) error) (hash uint64, err error)

// Run checks a kit in both worlds. size is how much of each check is done; 100 takes about a second.
func Run(t *testing.T, k Kit, simulate Simulate, size int) {
	t.Helper()
	t.Run(k.Name, func(t *testing.T) {
		if err := k.Check(simulate, size); err != nil {
			t.Fatal(err)
		}
	})
}

// Check is Run without a test: the first thing found, or nil.
func (k Kit) Check(simulate Simulate, size int) error {
	ctx := context.Background()
	for seed := range uint64(4 * size) {
		if err := k.Sequence(ctx, Choices(seed)); err != nil {
			return fmt.Errorf("sequence %d: %w", seed, err)
		}
	}
	for seed := range uint64(size) {
		hash, err := simulate(seed, k.Tasks)
		if err != nil {
			return fmt.Errorf("simulation %d: %w", seed, err)
		}
		if again, _ := simulate(seed, k.Tasks); again != hash {
			return fmt.Errorf("%s: simulation %d: two traces of one seed", k.Name, seed)
		}
	}
	for range size / 10 {
		if err := k.Tasks(ctx); err != nil {
			return fmt.Errorf("production: %w", err)
		}
	}
	for range size {
		if err := k.Calls(ctx); err != nil {
			return fmt.Errorf("production: %w", err)
		}
	}
	return nil
}

// Choices makes the choices of a seed: each call picks a number below n.
func Choices(seed uint64) func(n int) int { return rand.New(rand.NewPCG(seed, 0)).IntN }
