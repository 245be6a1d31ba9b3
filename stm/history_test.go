package stm

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
)

// A history holds every run of every transaction, the lost ones too. Each write carries the number of the run that made
// it, and each writer of a Var has read it first, so a history knows which value replaced which.
type history struct {
	now  atomic.Int64
	mu   sync.Mutex
	runs []*run
}

type run struct {
	id         int64
	begin, end int64 // stamps of history.now; the run took place between them
	committed  bool
	reads      map[int]int64 // Var -> run that wrote the value seen; 0 is the initial one
	writes     map[int]bool
}

func (h *history) stamp() int64 { return h.now.Add(1) }

// check looks for a serial order of all runs in which everyone saw the latest values and that respects real time: the
// history is then opaque and strictly serializable. The order exists if the graph of what must precede what has no
// cycle.
func (h *history) check() error {
	byID := map[int64]*run{}
	for _, r := range h.runs {
		byID[r.id] = r
	}
	g := graph{}
	type value struct {
		v    int
		from int64
	}
	successors := map[value][]int64{} // who replaced a value
	for _, r := range h.runs {
		for v := range r.writes {
			if r.committed {
				old := value{v, r.reads[v]}
				successors[old] = append(successors[old], r.id)
			}
		}
	}
	for _, r := range h.runs {
		for v, from := range r.reads {
			if from != 0 {
				w := byID[from]
				if w == nil || !w.committed || !w.writes[v] {
					return fmt.Errorf("run %d read an uncommitted value of Var %d", r.id, v)
				}
				g.edge(from, r.id)
			}
			for _, next := range successors[value{v, from}] {
				if next != r.id {
					g.edge(r.id, next)
				}
			}
		}
	}
	// Real time, by one node a stamp: a run comes after its begin and before its end.
	stamps := int64(h.now.Load())
	at := func(s int64) int64 { return -s }
	for s := range stamps {
		g.edge(at(s), at(s+1))
	}
	for _, r := range h.runs {
		g.edge(at(r.begin), r.id)
		g.edge(r.id, at(r.end))
	}
	if c := g.cycle(); c != 0 {
		return fmt.Errorf("%d runs or instants have no order: not opaque", c)
	}
	return nil
}

type graph map[int64][]int64

func (g graph) edge(a, b int64) {
	g[a] = append(g[a], b)
	if _, ok := g[b]; !ok {
		g[b] = nil
	}
}

// cycle is the number of nodes that no topological order can hold.
func (g graph) cycle() int {
	in := make(map[int64]int, len(g))
	for _, bs := range g {
		for _, b := range bs {
			in[b]++
		}
	}
	var free []int64
	for n := range g {
		if in[n] == 0 {
			free = append(free, n)
		}
	}
	left := len(g)
	for len(free) > 0 {
		n := free[len(free)-1]
		free = free[:len(free)-1]
		left--
		for _, b := range g[n] {
			if in[b]--; in[b] == 0 {
				free = append(free, b)
			}
		}
	}
	return left
}

// record runs random transactions on n Vars from several goroutines.
func record(goroutines, transactions, n int) *history {
	h := new(history)
	vs := make([]*Var[int64], n)
	for i := range vs {
		vs[i] = NewVar(int64(0))
	}
	var ids atomic.Int64
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(g), 7))
			var mine []*run
			for range transactions {
				first := len(mine)
				at := h.stamp()
				read, wr := rnd.Perm(n)[:1+rnd.IntN(n)], rnd.IntN(3)
				_ = Do(bg, func(tx *Tx) error {
					if k := len(mine) - 1; k >= first {
						at = mine[k].end
					}
					r := &run{id: ids.Add(1), begin: at, end: h.stamp(), reads: map[int]int64{}, writes: map[int]bool{}}
					mine = append(mine, r)
					return body(tx, h, r, vs, read, wr)
				})
				last := mine[len(mine)-1]
				last.committed, last.end = true, h.stamp()
			}
			h.mu.Lock()
			h.runs = append(h.runs, mine...)
			h.mu.Unlock()
		})
	}
	wg.Wait()
	return h
}

// body reads Vars in the given order, some inside a branch that is undone, and then writes the first wr of them.
func body(tx *Tx, h *history, r *run, vs []*Var[int64], read []int, wr int) error {
	look := func(tx *Tx, v int) {
		r.reads[v] = vs[v].Get(tx)
		r.end = h.stamp()
		if v%2 == 0 {
			runtime.Gosched()
		}
	}
	half := len(read) / 2
	_, _ = Select(tx, func(tx *Tx) (int, error) {
		for _, v := range read[:half] {
			look(tx, v)
			vs[v].Set(tx, -1)
		}
		return 0, ErrRetry
	}, func(*Tx) (int, error) { return 0, nil })
	for _, v := range read[half:] {
		look(tx, v)
	}
	for _, v := range read[:min(wr, len(read))] {
		vs[v].Set(tx, r.id)
		r.writes[v] = true
	}
	return nil
}

func TestHistoryIsOpaque(t *testing.T) {
	for _, c := range []struct{ goroutines, vars int }{{2, 2}, {4, 4}, {8, 3}, {3, 24}} {
		for range long.N(1, 30) {
			h := record(c.goroutines, long.N(8_000, 64_000)/c.goroutines, c.vars)
			require.NoError(t, h.check())
			lost := len(h.runs) - long.N(8_000, 64_000)/c.goroutines*c.goroutines
			t.Logf("%d goroutines, %d Vars: %d runs, %d of them lost", c.goroutines, c.vars, len(h.runs), lost)
		}
	}
}

// The checker itself can fail: on a lost update, a torn read of a lost run, a dirty read and a stale one.
func TestHistoryCheckerFails(t *testing.T) {
	mk := func(id, begin, end int64, committed bool, reads map[int]int64, writes ...int) *run {
		r := &run{id, begin, end, committed, reads, map[int]bool{}}
		for _, w := range writes {
			r.writes[w] = true
		}
		return r
	}
	bad := map[string][]*run{
		"lost update": {mk(1, 1, 9, true, map[int]int64{0: 0}, 0), mk(2, 2, 8, true, map[int]int64{0: 0}, 0)},
		"torn":        {mk(1, 1, 9, true, map[int]int64{0: 0, 1: 0}, 0, 1), mk(2, 2, 8, false, map[int]int64{0: 0, 1: 1})},
		"dirty":       {mk(1, 1, 9, false, map[int]int64{0: 0}, 0), mk(2, 2, 8, true, map[int]int64{0: 1})},
		"stale":       {mk(1, 1, 2, true, map[int]int64{0: 0}, 0), mk(2, 3, 4, true, map[int]int64{0: 0})},
		"write skew":  {mk(1, 1, 9, true, map[int]int64{0: 0, 1: 0}, 0), mk(2, 2, 8, true, map[int]int64{0: 0, 1: 0}, 1)},
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		h := &history{runs: bad[name]}
		h.now.Store(10)
		require.Error(t, h.check(), name)
	}
	h := &history{runs: []*run{mk(1, 1, 4, true, map[int]int64{0: 0}, 0), mk(2, 2, 8, true, map[int]int64{0: 1}, 0), mk(3, 3, 9, true, map[int]int64{0: 1})}}
	h.now.Store(10)
	require.NoError(t, h.check())
}

// The classic: money moves between accounts while audits add them up. A torn audit would panic on its own view.
func TestBank(t *testing.T) {
	const accounts, each = 16, 100
	vs := make([]*Var[int], accounts)
	for i := range vs {
		vs[i] = NewVar(each)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		rnd := rand.New(rand.NewPCG(uint64(g), 1))
		wg.Go(func() {
			for range long.N(10_000, 1_000_000) {
				i, j, n := rnd.IntN(accounts), rnd.IntN(accounts), rnd.IntN(5)
				_ = Do(bg, func(tx *Tx) error { _ = add(vs[i], -n)(tx); return add(vs[j], n)(tx) })
			}
		})
	}
	wg.Go(func() {
		for range long.N(2_000, 100_000) {
			_ = Do(bg, func(tx *Tx) error {
				sum := 0
				for _, v := range vs {
					sum += v.Get(tx)
					runtime.Gosched()
				}
				if sum != accounts*each {
					panic("an audit saw two moments")
				}
				return nil
			})
		}
	})
	wg.Wait()
	requireQuiet(t, vs...)
}

// Counters that always move together, incremented from all sides: no increment is lost.
func TestCounters(t *testing.T) {
	vs := make([]*Var[int], 12)
	for i := range vs {
		vs[i] = NewVar(0)
	}
	const goroutines, each = 4, 20_000
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				_ = Do(bg, func(tx *Tx) error {
					for _, v := range vs {
						_ = add(v, 1)(tx)
					}
					return nil
				})
			}
		})
	}
	wg.Wait()
	for _, v := range vs {
		require.Equal(t, goroutines*each, v.Load(bg))
	}
}
