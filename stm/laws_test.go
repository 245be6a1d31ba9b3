package stm

import (
	"sync"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
)

// ending is all that can be observed of a term's run: how it ended, its value, the memory, the hooks, and, if it waits,
// for which Vars.
type ending struct {
	Fate  fate
	Value int
	Vars  [termVars]int
	Hooks string
	Waits [termVars]bool
}

// expected is the outcome by meaning.
func expected(p term, initial [termVars]int) ending {
	m := world{vars: initial, read: new([termVars]bool)}
	x, f := p.meaning(&m)
	o := ending{Fate: f, Value: x, Vars: m.vars, Hooks: m.hooks}
	if f != done {
		o.Vars, o.Hooks = initial, ""
	}
	if f == waits {
		o.Value, o.Waits = 0, *m.read
	}
	return o
}

// observed is the outcome by the engine, through the public API alone. Poll tells what a term waits for: its channel
// closes when one of those Vars is written, and only then.
func observed(t require.TestingT, p term, initial [termVars]int) ending {
	o := ending{Fate: done}
	vs := newVars(initial)
	always := NewVar(0) // so that no wait is for nothing
	look := func() (w *Waiter) {
		o.Hooks = ""
		r := caught(func() {
			var err error
			o.Value, w, err = Poll(bg, func(tx *Tx) int {
				always.Get(tx)
				x, err := p.run(tx, vs, func(n int) { o.Hooks += string(rune('0' + n)) })
				if isRetry(err) {
					tx.Retry()
				} else if err != nil {
					panic(err.(failure) + 1000)
				}
				return x
			})
			require.NoError(t, err)
		})
		switch f, ok := r.(failure); {
		case r == nil:
		case !ok:
			panic(r)
		case f >= 1000:
			o.Fate, o.Value = failed, int(f)-1000
		default:
			o.Fate, o.Value = crashed, int(f)
		}
		return w
	}
	w := look()
	for i, v := range vs {
		o.Vars[i] = v.Load(bg)
	}
	for i := 0; w != nil && i < termVars; i++ {
		o.Fate = waits
		require.NoError(t, Do(bg, func(tx *Tx) error { vs[i].Set(tx, initial[i]); return nil }))
		select {
		case <-w.C():
			o.Waits[i] = true
		default:
		}
		w.Stop()
		w = look()
	}
	if w != nil {
		w.Stop()
	}
	requireQuiet(t, append(vs, always)...)
	return o
}

func newVars(initial [termVars]int) []*Var[int] {
	vs := make([]*Var[int], termVars)
	for i := range vs {
		vs[i] = NewVar(initial[i])
	}
	return vs
}

func memories() *rapid.Generator[[termVars]int] {
	return rapid.Custom(func(t *rapid.T) (m [termVars]int) {
		for i := range m {
			m[i] = rapid.IntRange(0, 3).Draw(t, "initial")
		}
		return m
	})
}

// checkMany is rapid.Check, longer with -long.
func checkMany(t *testing.T, f func(t *rapid.T)) {
	t.Helper()
	for range long.N(5, 1_000) {
		rapid.Check(t, f)
	}
}

// The engine does what the reference says, wait sets included.
func TestTermsMatchMeaning(t *testing.T) {
	for _, of := range [][]string{plain, failing, any_} {
		checkMany(t, func(t *rapid.T) {
			p, initial := terms(5, of...).Draw(t, "term"), memories().Draw(t, "memory")
			require.Equal(t, expected(p, initial), observed(t, p, initial))
		})
	}
}

// A law says that two terms mean the same, whatever a, b and c are and wherever they stand.
type law struct {
	name string
	of   []string // the language of a, b and c
	pair func(a, b, c term) (left, right term)
}

var laws = []law{
	{"OrElse is associative", any_, func(a, b, c term) (term, term) { return orElse(orElse(a, b), c), orElse(a, orElse(b, c)) }},
	{"Select is associative to the left", any_, func(a, b, c term) (term, term) { return sel(sel(a, b), c), sel(a, b, c) }},
	{"Select is associative to the right", any_, func(a, b, c term) (term, term) { return sel(a, sel(b, c)), sel(a, b, c) }},
	{"Retry is the left identity of OrElse", failing, func(a, _, _ term) (term, term) { return orElse(retry, a), a }},
	{"Retry is the right identity of OrElse", failing, func(a, _, _ term) (term, term) { return orElse(a, retry), a }},
	{"Retry is the left identity of Select", any_, func(a, _, _ term) (term, term) { return sel(retry, a), sel(a) }},
	{"Retry is the right identity of Select", any_, func(a, _, _ term) (term, term) { return sel(a, retry), sel(a) }},
	{"the empty Select is Retry", any_, func(a, _, _ term) (term, term) { return sel(), retry }},
	{"Select of one is that one", plain, func(a, _, _ term) (term, term) { return sel(a), a }},
	{"Select without errors is OrElse", plain, func(a, b, _ term) (term, term) { return sel(a, b), orElse(a, b) }},
	{"Select does not choose again", any_, func(a, _, _ term) (term, term) { return sel(a, a), sel(a) }},
	{"the left is undone", plain, func(a, b, _ term) (term, term) {
		return orElse(seq(a, retry), b), seq(lookedAt(a), b)
	}},
	{"Retry ends a sequence", any_, func(a, b, _ term) (term, term) { return seq(retry, a), retry }},
	{"an error ends a Select", any_, func(a, _, _ term) (term, term) { return sel(op("fail"), a), op("fail") }},
	{"Check is a conditional Retry", any_, func(a, b, _ term) (term, term) {
		return seq(term{op: "check", v: a.v, n: b.n}, a), cond(a.v, b.n, a, retry)
	}},
	{"Try without errors changes nothing", plain, func(a, _, _ term) (term, term) { return try(a), a }},
	{"Try of an error is its value", any_, func(a, _, _ term) (term, term) { return try(op("fail")), term{op: "ret", n: 100} }},
	{"Try lets Retry pass", any_, func(a, _, _ term) (term, term) { return try(op("errRetry")), retry }},
	{"Try once is enough", any_, func(a, _, _ term) (term, term) { return try(try(a)), try(a) }},
	{"Try undoes alone", total, func(a, b, _ term) (term, term) {
		return seq(try(seq(a, op("fail"))), b), seq(lookedAt(a), b)
	}},
	{"an error undoes its alternative", total, func(a, b, _ term) (term, term) {
		return op("ignore", sel(seq(a, op("fail")), b)), seq(lookedAt(a), term{op: "ret", n: 200})
	}},
	{"a panic undoes its branch", total, func(a, b, _ term) (term, term) {
		boom := seq(a, op("panic"))
		return op("guard", sel(orElse(try(boom), b), b)), seq(lookedAt(a), term{op: "ret", n: 50})
	}},
	{"a panic undoes Try", total, func(a, b, _ term) (term, term) {
		return seq(op("guard", try(seq(a, op("panic")))), b), seq(lookedAt(a), b)
	}},
	{"Try distributes over Select", any_, func(a, b, _ term) (term, term) { return try(sel(a, b)), sel(try(a), try(b)) }},
}

// Both sides of a law have the same outcome in any memory and in any context.
func TestLaws(t *testing.T) {
	for _, l := range laws {
		t.Run(l.name, func(t *testing.T) {
			checkMany(t, func(t *rapid.T) {
				g := terms(2, l.of...)
				left, right := l.pair(g.Draw(t, "a"), g.Draw(t, "b"), g.Draw(t, "c"))
				around := rapid.SampledFrom([]string{"nothing", "seq", "orelse", "select", "try", "nested"}).Draw(t, "around")
				d, e := g.Draw(t, "d"), g.Draw(t, "e")
				initial := memories().Draw(t, "memory")
				want, got := observed(t, place(around, left, d, e), initial), observed(t, place(around, right, d, e), initial)
				require.Equal(t, want, got)
			})
		})
	}
}

// lookedAt is a with all its writes undone.
func lookedAt(a term) term { return orElse(seq(a, retry), skip) }

// place puts a term into a context.
func place(around string, p, d, e term) term {
	switch around {
	case "seq":
		return seq(d, seq(p, e))
	case "orelse":
		return orElse(p, d)
	case "select":
		return sel(d, seq(e, p))
	case "try":
		return seq(d, try(seq(p, e)))
	case "nested":
		return seq(d, orElse(seq(try(p), retry), seq(p, e)))
	}
	return p
}

// If all alternatives retry, the wait is for the union of what they wait for; if one does not, what the others have read
// counts all the same.
func TestWaitSetIsTheUnion(t *testing.T) {
	checkMany(t, func(t *rapid.T) {
		g := terms(3, plain...)
		a, b, c, initial := g.Draw(t, "a"), g.Draw(t, "b"), g.Draw(t, "c"), memories().Draw(t, "memory")
		a, b, c = seq(a, retry), seq(b, retry), seq(c, retry)
		union := ending{Fate: waits, Vars: initial}
		for _, p := range []term{a, b, c} {
			for i, w := range observed(t, p, initial).Waits {
				union.Waits[i] = union.Waits[i] || w
			}
		}
		for _, p := range []term{sel(a, b, c), orElse(a, orElse(b, c)), sel(orElse(a, b), try(c)), seq(orElse(a, sel(b, skip)), c)} {
			require.Equal(t, union, observed(t, p, initial), "%v", p)
		}
	})
}

// The two spellings of Retry mean the same everywhere.
func TestErrRetryIsRetry(t *testing.T) {
	checkMany(t, func(t *rapid.T) {
		p, initial := terms(4, any_...).Draw(t, "term"), memories().Draw(t, "memory")
		require.Equal(t, observed(t, p.with("errRetry", "retry"), initial), observed(t, p.with("retry", "errRetry"), initial))
	})
}

// A waiting term runs once for each commit that wrote something it waits for, and for no other.
func TestWakeCountsMatchMeaning(t *testing.T) {
	checkMany(t, func(rt *rapid.T) {
		p, initial := terms(3, plain...).Draw(rt, "term"), memories().Draw(rt, "memory")
		commits := rapid.SliceOfN(memories(), 1, 6).Draw(rt, "commits")
		masks := rapid.SliceOfN(rapid.IntRange(1, 1<<termVars-1), len(commits), len(commits)).Draw(rt, "masks")
		require.Equal(rt, runsByMeaning(p, initial, commits, masks), runsByEngine(t, p, initial, commits, masks))
	})
}

// runsByMeaning is the number of runs after each commit. Commit i writes commits[i] to the Vars of masks[i].
func runsByMeaning(p term, initial [termVars]int, commits [][termVars]int, masks []int) (runs []int) {
	memory, n := initial, 1
	o := expected(p, memory)
	for i, c := range commits {
		if o.Fate != waits {
			memory = o.Vars
		}
		wakes := false
		for v := range c {
			if masks[i]>>v&1 == 1 {
				memory[v] = c[v]
				wakes = wakes || o.Waits[v]
			}
		}
		if o.Fate == waits && wakes {
			n++
			o = expected(p, memory)
		}
		runs = append(runs, n)
	}
	return runs
}

func runsByEngine(t *testing.T, p term, initial [termVars]int, commits [][termVars]int, masks []int) (runs []int) {
	synctest.Test(t, func(t *testing.T) {
		vs, end := newVars(initial), NewVar(false)
		n := 0
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = Do(bg, func(tx *Tx) error {
				if end.Get(tx) {
					return nil
				}
				n++
				_, err := p.run(tx, vs, func(int) {})
				return err
			})
		})
		synctest.Wait()
		for i, c := range commits {
			require.NoError(t, Do(bg, func(tx *Tx) error {
				for v := range c {
					if masks[i]>>v&1 == 1 {
						vs[v].Set(tx, c[v])
					}
				}
				return nil
			}))
			synctest.Wait()
			runs = append(runs, n)
		}
		set(t, end, true)
		wg.Wait()
		requireQuiet(t, vs...)
	})
	return runs
}
