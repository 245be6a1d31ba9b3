package stm

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	oracle "github.com/anacrolix/stm"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
)

// The oracle is github.com/anacrolix/stm, an engine of quite another make. Its guarantees reach to terms without errors,
// panics, hooks or cancellation; those must end alike on both.

// theirs is run on the other engine.
func (p *term) theirs(tx *oracle.Tx, vs []*oracle.Var[int]) int {
	switch p.op {
	case "get":
		return vs[p.v].Get(tx)
	case "set":
		vs[p.v].Set(tx, p.n)
	case "add":
		vs[p.v].Set(tx, (vs[p.w].Get(tx)+p.n)%5)
	case "ret":
		return p.n
	case "check":
		tx.Assert(vs[p.v].Get(tx) >= p.n)
	case "retry":
		tx.Retry()
	case "seq":
		p.kids[0].theirs(tx, vs)
		return p.kids[1].theirs(tx, vs)
	case "cond":
		if vs[p.v].Get(tx) >= p.n {
			return p.kids[0].theirs(tx, vs)
		}
		return p.kids[1].theirs(tx, vs)
	case "orelse", "select", "select3":
		var alternatives []oracle.Operation[int]
		for i := range p.kids {
			alternatives = append(alternatives, func(tx *oracle.Tx) int { return p.kids[i].theirs(tx, vs) })
		}
		return oracle.Select(alternatives...)(tx)
	default:
		panic("the oracle does not know " + p.op)
	}
	return 0
}

func theirVars(initial [termVars]int) []*oracle.Var[int] {
	vs := make([]*oracle.Var[int], termVars)
	for i := range vs {
		vs[i] = oracle.NewVar(initial[i])
	}
	return vs
}

// Several terms in turn, each run or found to wait: the same values, the same memory.
func TestOracleSequential(t *testing.T) {
	const waited = -1
	checkMany(t, func(t *rapid.T) {
		initial := memories().Draw(t, "memory")
		a, b := newVars(initial), theirVars(initial)
		for _, p := range rapid.SliceOfN(terms(4, plain...), 1, 4).Draw(t, "terms") {
			got, err := Atomically(bg, func(tx *Tx) (int, error) {
				return Select(tx, func(tx *Tx) (int, error) { return p.run(tx, a, nil) },
					func(*Tx) (int, error) { return waited, nil })
			})
			require.NoError(t, err)
			want := oracle.Atomically(oracle.Select(func(tx *oracle.Tx) int { return p.theirs(tx, b) },
				func(*oracle.Tx) int { return waited }))
			require.Equal(t, want, got)
			for i := range a {
				require.Equal(t, oracle.AtomicGet(b[i]), a[i].Load(bg), "Var %d", i)
			}
		}
	})
}

// Terms at once, some of which wait for others: on both engines the end is one that some serial order has.
func TestOracleConcurrent(t *testing.T) {
	for range long.N(4, 500) {
		rapid.Check(t, func(t *rapid.T) {
			initial := memories().Draw(t, "memory")
			ps := rapid.SliceOfN(terms(3, plain...), 2, 3).Draw(t, "terms")
			ends, stuck := serialEnds(ps, initial)
			if stuck {
				t.Skip("some order ends with a term that waits for ever")
			}
			a, b := newVars(initial), theirVars(initial)
			got := concurrently(ps, func(p *term) int {
				n, err := Query(bg, func(tx *Tx) int { runtime.Gosched(); n, _ := p.run(tx, a, nil); runtime.Gosched(); return n })
				if err != nil {
					panic(err)
				}
				return n
			}, func(v int) int { return a[v].Load(bg) })
			require.Contains(t, ends, got)
			requireQuiet(t, a...)
			want := concurrently(ps, func(p *term) int {
				return oracle.Atomically(func(tx *oracle.Tx) int { runtime.Gosched(); return p.theirs(tx, b) })
			}, func(v int) int { return oracle.AtomicGet(b[v]) })
			require.Contains(t, ends, want)
		})
	}
}

// concurrently runs all terms at once; the result is what each gave and what the memory is then.
func concurrently(ps []term, run func(p *term) int, load func(v int) int) string {
	values := make([]int, len(ps))
	var wg sync.WaitGroup
	for i := range ps {
		wg.Go(func() { values[i] = run(&ps[i]) })
	}
	wg.Wait()
	var memory [termVars]int
	for v := range memory {
		memory[v] = load(v)
	}
	return fmt.Sprint(values, memory)
}

// serialEnds are the ends of all serial orders by meaning; stuck if one leaves a term that waits.
func serialEnds(ps []term, initial [termVars]int) (ends []string, stuck bool) {
	values := make([]int, len(ps))
	var walk func(left []int, memory [termVars]int)
	walk = func(left []int, memory [termVars]int) {
		if len(left) == 0 {
			ends = append(ends, fmt.Sprint(values, memory))
			return
		}
		moved := false
		for i, k := range left {
			if o := expected(ps[k], memory); o.Fate == done {
				moved = true
				values[k] = o.Value
				walk(slices.Delete(slices.Clone(left), i, i+1), o.Vars)
			}
		}
		stuck = stuck || !moved
	}
	all := make([]int, len(ps))
	for i := range all {
		all[i] = i
	}
	walk(all, initial)
	return ends, stuck
}

// Concurrent programs whose end does not depend on the schedule: tokens go round, each passed on a fixed number of
// times, over waits and choices.
func TestOracleTokens(t *testing.T) {
	for seed := range uint64(long.N(10, 500)) {
		r := rand.New(rand.NewPCG(seed, 0))
		n, rounds := 2+r.IntN(4), 50
		a, b := make([]*Var[int], n+1), make([]*oracle.Var[int], n+1)
		for i := range a {
			a[i], b[i] = NewVar(0), oracle.NewVar(0)
		}
		tokens := 1 + r.IntN(3)
		require.NoError(t, Do(bg, func(tx *Tx) error { a[0].Set(tx, tokens); return nil }))
		oracle.AtomicSet(b[0], tokens)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() {
				for range rounds {
					_, _ = Atomically(bg, func(tx *Tx) (int, error) {
						return Select(tx,
							func(tx *Tx) (int, error) { tx.Check(a[n].Get(tx) < 0); return 0, nil },
							func(tx *Tx) (int, error) {
								if a[i].Get(tx) == 0 {
									return 0, ErrRetry
								}
								a[i].Update(tx, func(x int) int { runtime.Gosched(); return x - 1 })
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
							runtime.Gosched()
							b[i].Set(tx, b[i].Get(tx)-1)
							b[(i+1)%n].Set(tx, b[(i+1)%n].Get(tx)+1)
							return 0
						}))
				}
			})
		}
		wg.Wait()
		for i := range a {
			require.Equal(t, oracle.AtomicGet(b[i]), a[i].Load(bg), "Var %d", i)
		}
	}
}
