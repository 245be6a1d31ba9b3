package stm

import (
	"fmt"
	"maps"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/internal/long"
)

// A program is a random transaction body. The same tree is run by the engine and by reference, a few lines that copy
// the whole memory at every branch; both must agree on the outcome, the memory, the log and the hooks.
type program struct {
	op   string // set, add, log, hook, check, retry, errRetry, fail, panic, seq, orelse, select, try, guard
	v, w int
	n    int
	kids []program
}

func programs(depth int) *rapid.Generator[program] {
	leaves := []string{"set", "set", "add", "add", "log", "hook", "check", "retry", "errRetry", "fail", "panic"}
	inner := []string{"seq", "seq", "seq", "orelse", "select", "try", "guard"}
	return rapid.Custom(func(t *rapid.T) program {
		ops := leaves
		if depth > 0 {
			ops = append(inner, leaves...)
		}
		p := program{op: rapid.SampledFrom(ops).Draw(t, "op"), v: rapid.IntRange(0, 3).Draw(t, "v"),
			w: rapid.IntRange(0, 3).Draw(t, "w"), n: rapid.IntRange(0, 5).Draw(t, "n")}
		kids := map[string]int{"seq": 3, "orelse": 2, "select": 3, "try": 1, "guard": 1}[p.op]
		for range kids {
			p.kids = append(p.kids, programs(depth-1).Draw(t, "kid"))
		}
		return p
	})
}

// memory is what the reference works on.
type memory struct {
	vars  map[int]int
	hooks string
}

func (m *memory) copy() memory { return memory{maps.Clone(m.vars), m.hooks} }

type result string

const (
	fine    result = "fine"
	retries result = "retries"
	fails   result = "fails"
	panics  result = "panics"
)

// reference is the meaning of a program. Only log is not undone: it stands for what a body does in plain Go.
func (p *program) reference(m *memory, log *string) result {
	before := m.copy()
	switch p.op {
	case "set":
		m.vars[p.v] = p.n
	case "add":
		m.vars[p.v] = m.vars[p.w] + p.n
	case "log":
		*log += fmt.Sprint(m.vars[p.v], ";")
	case "hook":
		m.hooks += fmt.Sprint(p.n)
	case "check":
		if m.vars[p.v] < p.n {
			return retries
		}
	case "retry", "errRetry":
		return retries
	case "fail":
		return fails
	case "panic":
		return panics
	case "seq":
		for i := range p.kids {
			if r := p.kids[i].reference(m, log); r != fine {
				return r
			}
		}
	case "orelse", "select":
		for i := range p.kids {
			r := p.kids[i].reference(m, log)
			if r == retries || r == panics || r == fails && p.op == "select" { // to OrElse an error is a value
				*m = before.copy()
			}
			if r != retries {
				return r
			}
		}
		return retries
	case "try":
		r := p.kids[0].reference(m, log)
		if r != fine {
			*m = before
		}
		if r == fails {
			return fine
		}
		return r
	case "guard":
		r := p.kids[0].reference(m, log)
		if r == panics {
			*log += "recovered;"
			return fine
		}
		return r
	}
	return fine
}

// engine runs the program in tx.
func (p *program) engine(tx *Tx, vs []*Var[int], log, hooks *string) error {
	kid := func(i int) func(tx *Tx) error {
		return func(tx *Tx) error { return p.kids[i].engine(tx, vs, log, hooks) }
	}
	valued := func(i int) func(tx *Tx) (int, error) {
		return func(tx *Tx) (int, error) { return i, p.kids[i].engine(tx, vs, log, hooks) }
	}
	switch p.op {
	case "set":
		vs[p.v].Set(tx, p.n)
	case "add":
		vs[p.v].Set(tx, vs[p.w].Get(tx)+p.n)
	case "log":
		*log += fmt.Sprint(vs[p.v].Get(tx), ";")
	case "hook":
		tx.OnCommit(func() { *hooks += fmt.Sprint(p.n) })
	case "check":
		tx.Check(vs[p.v].Get(tx) >= p.n)
	case "retry":
		tx.Retry()
	case "errRetry":
		return ErrRetry
	case "fail":
		return errBoom
	case "panic":
		panic(errBoom)
	case "seq":
		for i := range p.kids {
			if err := kid(i)(tx); err != nil {
				return err
			}
		}
	case "orelse":
		return OrElse(tx, func(tx *Tx) error { return retrying(tx, kid(0)) }, func(tx *Tx) error { return retrying(tx, kid(1)) })
	case "select":
		_, err := Select(tx, valued(0), valued(1), valued(2))
		return err
	case "try":
		if err := Try(tx, kid(0)); isRetry(err) {
			return err
		}
	case "guard":
		return guarded(tx, kid(0), log)
	}
	return nil
}

// retrying makes Retry of ErrRetry, for OrElse, whose alternatives have no error of their own.
func retrying(tx *Tx, f func(tx *Tx) error) error {
	err := f(tx)
	if isRetry(err) {
		tx.Retry()
	}
	return err
}

// guarded recovers from f's own panics, and from nothing else.
func guarded(tx *Tx, f func(tx *Tx) error, log *string) (err error) {
	defer func() {
		switch r := recover(); r {
		case nil:
		case errBoom:
			*log += "recovered;"
			err = nil
		default:
			panic(r)
		}
	}()
	return f(tx)
}

func TestProgramsMatchReference(t *testing.T) {
	for range long.N(20, 5_000) {
		rapid.Check(t, checkProgram)
	}
}

func checkProgram(t *rapid.T) {
	p := programs(4).Draw(t, "program")
	initial := rapid.SliceOfN(rapid.IntRange(0, 3), 4, 4).Draw(t, "initial")
	m, wantLog := memory{vars: map[int]int{}}, ""
	vs := make([]*Var[int], 4)
	for i, n := range initial {
		m.vars[i], vs[i] = n, NewVar(n)
	}
	want := p.reference(&m, &wantLog)
	if want != fine {
		m = memory{vars: map[int]int{0: initial[0], 1: initial[1], 2: initial[2], 3: initial[3]}}
	}
	got, log, hooks := fine, "", ""
	r := caught(func() {
		err := Do(bg, func(tx *Tx) error {
			skipped := false
			_, err := Select(tx, func(tx *Tx) (int, error) { return 0, p.engine(tx, vs, &log, &hooks) },
				func(tx *Tx) (int, error) { skipped = true; return 0, nil })
			if skipped {
				got = retries
			}
			return err
		})
		if err != nil {
			got = fails
		}
	})
	if r != nil {
		require.Equal(t, errBoom, r)
		got = panics
	}
	require.Equal(t, want, got)
	require.Equal(t, wantLog, log)
	require.Equal(t, m.hooks, hooks)
	for i, v := range vs {
		require.Equal(t, m.vars[i], v.Load(bg), "Var %d", i)
	}
	requireQuiet(t, vs...)
}
