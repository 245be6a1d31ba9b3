package stm_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"

	oracle "github.com/anacrolix/stm"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/stm"
)

// The oracle is github.com/anacrolix/stm, an engine of quite another make. Its guarantees reach to programs without
// panics, cancellation or errors; on those both must end in the same state.

// step is a piece of a transaction: v = w + n, then perhaps a wait for v >= n, or a choice.
type step struct {
	v, w, n int
	check   bool
	choice  [][]step
}

func steps(r *rand.Rand, depth int) []step {
	out := make([]step, 1+r.IntN(3))
	for i := range out {
		out[i] = step{v: r.IntN(vars), w: r.IntN(vars), n: r.IntN(7) - 2, check: r.IntN(4) == 0}
		if depth > 0 && r.IntN(3) == 0 {
			for range 1 + r.IntN(3) {
				out[i].choice = append(out[i].choice, steps(r, depth-1))
			}
		}
	}
	return out
}

const vars = 4

func ours(vs []*stm.Var[int], ss []step) func(tx *stm.Tx) (int, error) {
	return func(tx *stm.Tx) (int, error) {
		for _, s := range ss {
			switch {
			case s.choice != nil:
				var alternatives []func(tx *stm.Tx) (int, error)
				for _, c := range s.choice {
					alternatives = append(alternatives, ours(vs, c))
				}
				if _, err := stm.Select(tx, alternatives...); err != nil {
					return 0, err
				}
			case s.check && s.n%2 == 0:
				tx.Check(vs[s.v].Get(tx) >= s.n)
			case s.check:
				if vs[s.v].Get(tx) < s.n {
					return 0, stm.ErrRetry
				}
			default:
				vs[s.v].Set(tx, (vs[s.w].Get(tx)+s.n)%100)
			}
		}
		return 1, nil
	}
}

func theirs(vs []*oracle.Var[int], ss []step) oracle.Operation[int] {
	return func(tx *oracle.Tx) int {
		for _, s := range ss {
			switch {
			case s.choice != nil:
				var alternatives []oracle.Operation[int]
				for _, c := range s.choice {
					alternatives = append(alternatives, theirs(vs, c))
				}
				oracle.Select(alternatives...)(tx)
			case s.check:
				tx.Assert(vs[s.v].Get(tx) >= s.n)
			default:
				vs[s.v].Set(tx, (vs[s.w].Get(tx)+s.n)%100)
			}
		}
		return 1
	}
}

// bothVars makes equal memories for the two engines.
func bothVars(n int) (a []*stm.Var[int], b []*oracle.Var[int]) {
	for range n {
		a = append(a, stm.NewVar(0))
		b = append(b, oracle.NewVar(0))
	}
	return a, b
}

func requireEqualState(t *testing.T, a []*stm.Var[int], b []*oracle.Var[int]) {
	t.Helper()
	for i := range a {
		require.Equal(t, oracle.AtomicGet(b[i]), a[i].Load(context.Background()), "Var %d", i)
	}
}

func TestOracleSequential(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(long.N(300, 20_000)) {
		r := rand.New(rand.NewPCG(seed, 0))
		a, b := bothVars(vars)
		for range 10 {
			p := steps(r, 3)
			skip := func(*stm.Tx) (int, error) { return 0, nil }
			got, err := stm.Atomically(ctx, func(tx *stm.Tx) (int, error) { return stm.Select(tx, ours(a, p), skip) })
			require.NoError(t, err)
			want := oracle.Atomically(oracle.Select(theirs(b, p), func(*oracle.Tx) int { return 0 }))
			require.Equal(t, want, got, "seed %d: whether the transaction retries", seed)
			requireEqualState(t, a, b)
		}
	}
}

// Concurrent programs whose end does not depend on the schedule: tokens go round, each passed on a fixed number of
// times, over waits and choices.
func TestOracleConcurrent(t *testing.T) {
	ctx := context.Background()
	for seed := range uint64(long.N(10, 500)) {
		r := rand.New(rand.NewPCG(seed, 0))
		n, rounds := 2+r.IntN(4), 50
		a, b := bothVars(n + 1)
		tokens := 1 + r.IntN(3)
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { a[0].Set(tx, tokens); return nil }))
		oracle.AtomicSet(b[0], tokens)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				for range rounds {
					_, _ = stm.Atomically(ctx, func(tx *stm.Tx) (int, error) {
						return stm.Select(tx,
							func(tx *stm.Tx) (int, error) { tx.Check(a[n].Get(tx) < 0); return 0, nil },
							func(tx *stm.Tx) (int, error) {
								if a[i].Get(tx) == 0 {
									return 0, stm.ErrRetry
								}
								a[i].Update(tx, func(x int) int { return x - 1 })
								a[(i+1)%n].Update(tx, func(x int) int { return x + 1 })
								return 0, nil
							})
					})
				}
			})
			wg.Go(func() {
				for range rounds {
					oracle.Atomically(oracle.Select(
						func(tx *oracle.Tx) int { tx.Assert(b[n].Get(tx) < 0); return 0 },
						func(tx *oracle.Tx) int {
							tx.Assert(b[i].Get(tx) > 0)
							b[i].Set(tx, b[i].Get(tx)-1)
							b[(i+1)%n].Set(tx, b[(i+1)%n].Get(tx)+1)
							return 0
						}))
				}
			})
		}
		wg.Wait()
		requireEqualState(t, a, b)
	}
}
