package stm

import (
	"fmt"

	"pgregory.net/rapid"
)

// A term is a random transaction body that has a value. It is evaluated by meaning, which copies the whole memory at
// every branch and is short enough to be believed, by this package (run) and by another engine (laws_oracle_test.go).
type term struct {
	op      string
	v, w, n int
	kids    []term
}

// ops are the operations of a term and the number of terms under each.
var ops = map[string]int{
	"get": 0, "set": 0, "add": 0, "ret": 0, "hook": 0, "check": 0, "retry": 0, "errRetry": 0, "fail": 0, "panic": 0,
	"seq": 2, "cond": 2, "orelse": 2, "select": 2, "select3": 3, "try": 1, "ignore": 1, "guard": 1,
}

const termVars = 4

// terms draws terms of the given operations, down to those that have no terms under them.
func terms(depth int, of ...string) *rapid.Generator[term] {
	var leaves, inner []string
	for _, op := range of {
		if ops[op] == 0 {
			leaves = append(leaves, op)
		} else {
			inner = append(inner, op)
		}
	}
	return rapid.Custom(func(t *rapid.T) term {
		from := leaves
		if depth > 0 && rapid.IntRange(0, 3).Draw(t, "leaf") > 0 {
			from = inner
		}
		p := term{op: rapid.SampledFrom(from).Draw(t, "op"), v: rapid.IntRange(0, termVars-1).Draw(t, "v"),
			w: rapid.IntRange(0, termVars-1).Draw(t, "w"), n: rapid.IntRange(0, 3).Draw(t, "n")}
		for range ops[p.op] {
			p.kids = append(p.kids, terms(depth-1, of...).Draw(t, "kid"))
		}
		return p
	})
}

// The languages: total always ends with a value; plain may also wait, and has what every engine knows; failing adds errors;
// any has everything.
var (
	total   = []string{"get", "get", "set", "set", "add", "add", "ret", "seq", "seq", "seq", "cond"}
	plain   = append([]string{"check", "retry", "orelse", "select", "select3"}, total...)
	failing = append([]string{"fail", "hook", "errRetry", "try", "ignore"}, plain...)
	any_    = append([]string{"panic", "guard"}, failing...)
)

func op(name string, kids ...term) term { return term{op: name, kids: kids} }

var (
	skip  = op("ret")
	retry = op("retry")
)

func seq(a, b term) term    { return op("seq", a, b) }
func orElse(a, b term) term { return op("orelse", a, b) }
func sel(kids ...term) term { return op("select", kids...) }
func try(a term) term       { return op("try", a) }
func cond(v, n int, a, b term) term {
	return term{op: "cond", v: v, n: n, kids: []term{a, b}}
}

// has reports whether p has one of the operations.
func (p *term) has(names ...string) bool {
	for _, n := range names {
		if p.op == n {
			return true
		}
	}
	for i := range p.kids {
		if p.kids[i].has(names...) {
			return true
		}
	}
	return false
}

// with is p with one operation in the place of another.
func (p term) with(old, new string) term {
	if p.op == old {
		p.op = new
	}
	kids := p.kids
	p.kids = nil
	for _, k := range kids {
		p.kids = append(p.kids, k.with(old, new))
	}
	return p
}

// fate is how a term ends.
type fate string

const (
	done    fate = "done"
	waits   fate = "waits"
	failed  fate = "failed"
	crashed fate = "crashed"
)

// world is what a term acts on. What it has read is never taken back; the rest is.
type world struct {
	vars    [termVars]int
	written [termVars]bool
	hooks   string
	read    *[termVars]bool
}

func (m *world) get(v int) int {
	if !m.written[v] {
		m.read[v] = true
	}
	return m.vars[v]
}

func (m *world) set(v, n int) { m.vars[v], m.written[v] = n, true }

// failure is the error, and the panic value, of a term.
type failure int

func (f failure) Error() string { return fmt.Sprint("failure ", int(f)) }

// meaning is the reference interpreter.
func (p *term) meaning(m *world) (int, fate) {
	before := *m
	switch p.op {
	case "get":
		return m.get(p.v), done
	case "set":
		m.set(p.v, p.n)
	case "add":
		m.set(p.v, (m.get(p.w)+p.n)%5)
	case "hook":
		m.hooks += fmt.Sprint(p.n)
	case "ret":
		return p.n, done
	case "check":
		if m.get(p.v) < p.n {
			return 0, waits
		}
	case "retry", "errRetry":
		return 0, waits
	case "fail":
		return p.n, failed
	case "panic":
		return p.n, crashed
	case "seq":
		if x, f := p.kids[0].meaning(m); f != done {
			return x, f
		}
		return p.kids[1].meaning(m)
	case "cond":
		if m.get(p.v) >= p.n {
			return p.kids[0].meaning(m)
		}
		return p.kids[1].meaning(m)
	case "orelse", "select", "select3":
		for i := range p.kids {
			x, f := p.kids[i].meaning(m)
			if f == waits || f == crashed || f == failed && p.op != "orelse" { // to OrElse an error is a value
				*m = before
			}
			if f != waits {
				return x, f
			}
		}
		return 0, waits
	case "try":
		x, f := p.kids[0].meaning(m)
		if f != done {
			*m = before
		}
		if f == failed {
			return 100 + x, done
		}
		return x, f
	case "ignore":
		x, f := p.kids[0].meaning(m)
		if f == failed {
			return 200 + x, done
		}
		return x, f
	case "guard":
		if x, f := p.kids[0].meaning(m); f != crashed {
			return x, f
		}
		return 50, done
	}
	return 0, done
}

// run evaluates p in tx, on the Vars vs; hook is called by what the term's hooks do.
func (p *term) run(tx *Tx, vs []*Var[int], hook func(n int)) (int, error) {
	kid := func(i int) func(tx *Tx) (int, error) {
		return func(tx *Tx) (int, error) { return p.kids[i].run(tx, vs, hook) }
	}
	switch p.op {
	case "get":
		return vs[p.v].Get(tx), nil
	case "set":
		vs[p.v].Set(tx, p.n)
	case "add":
		vs[p.v].Set(tx, (vs[p.w].Get(tx)+p.n)%5)
	case "hook":
		tx.OnCommit(func() { hook(p.n) })
	case "ret":
		return p.n, nil
	case "check":
		tx.Check(vs[p.v].Get(tx) >= p.n)
	case "retry":
		return Retry[int](tx), nil
	case "errRetry":
		return 0, ErrRetry
	case "fail":
		return 0, failure(p.n)
	case "panic":
		panic(failure(p.n))
	case "seq":
		if x, err := kid(0)(tx); err != nil {
			return x, err
		}
		return kid(1)(tx)
	case "cond":
		if vs[p.v].Get(tx) >= p.n {
			return kid(0)(tx)
		}
		return kid(1)(tx)
	case "orelse":
		r := OrElse(tx, both(kid(0)), both(kid(1)))
		return r.x, r.err
	case "select", "select3":
		var alternatives []func(tx *Tx) (int, error)
		for i := range p.kids {
			alternatives = append(alternatives, kid(i))
		}
		return Select(tx, alternatives...)
	case "try":
		return tried(tx, kid(0))
	case "ignore":
		x, err := kid(0)(tx)
		if f, ok := err.(failure); ok {
			return 200 + int(f), nil
		}
		return x, err
	case "guard":
		return unhurt(tx, kid(0))
	}
	return 0, nil
}

type valueOrError struct {
	x   int
	err error
}

// both makes one value of a value and an error, and Retry of ErrRetry, for OrElse.
func both(f func(tx *Tx) (int, error)) func(tx *Tx) valueOrError {
	return func(tx *Tx) valueOrError {
		x, err := f(tx)
		if isRetry(err) {
			tx.Retry()
		}
		return valueOrError{x, err}
	}
}

func tried(tx *Tx, f func(tx *Tx) (int, error)) (x int, err error) {
	err = Try(tx, func(tx *Tx) (err error) { x, err = f(tx); return err })
	if f, ok := err.(failure); ok {
		return 100 + int(f), nil
	}
	return x, err
}

// unhurt recovers from a panic of a term, and from nothing else.
func unhurt(tx *Tx, f func(tx *Tx) (int, error)) (x int, err error) {
	defer func() {
		switch r := recover(); r := r.(type) {
		case nil:
		case failure:
			x, err = 50, nil
		default:
			panic(r)
		}
	}()
	return f(tx)
}
