// Package place: which functions are bodies, and when the functions in them run.
package place

import (
	"context"
	"fmt"
	"iter"
	"sync"
	"testing"

	"kit/stm"
)

type tx = stm.Tx

type component struct{ v stm.Var[int] }

func (c *component) method(_ *stm.Tx) { fmt.Println() } // want `fmt.Println`

func last(a int, b string, tx *tx) { fmt.Println() } // want `fmt.Println`

func alsoContext(ctx context.Context, tx *stm.Tx) { fmt.Println() } // want `fmt.Println`

func byValue(tx stm.Tx) { fmt.Println() }

func many(txs []*stm.Tx) { fmt.Println() }

var global = func(*stm.Tx) { fmt.Println() } // want `fmt.Println`

func makes() func(*stm.Tx) int {
	fmt.Println()
	return func(*stm.Tx) int { fmt.Println(); return 1 } // want `fmt.Println`
}

func runs(tx *stm.Tx, v *stm.Var[int]) func() {
	func() { fmt.Println() }()                                               // want `fmt.Println`
	defer func() { fmt.Println() }()                                         // want `fmt.Println`
	v.Update(tx, func(n int) int { fmt.Println(); return n })                // want `fmt.Println`
	_ = stm.OrElse(tx, func(*stm.Tx) int { fmt.Println(); return 1 }, v.Get) // want `fmt.Println`
	f := func() { fmt.Println() }                                            // want `fmt.Println`
	f()
	g := (func() { fmt.Println() }) // want `fmt.Println`
	each(g)
	var rec func(n int)
	rec = func(n int) { fmt.Println(); rec(n - 1) } // want `fmt.Println`
	kept := func() { fmt.Println() }
	_ = []func(){func() { fmt.Println() }}
	_ = func(tx *stm.Tx) { fmt.Println() } // want `fmt.Println`
	return kept
}

func notYet(tx *stm.Tx, v *stm.Var[func()], c *struct{ f func() }, t *testing.T) (func(), error) {
	t.Cleanup(func() { fmt.Println() })
	once := sync.OnceFunc(func() { fmt.Println() })
	tx.OnCommit(once)
	v.Set(tx, func() { fmt.Println() })
	c.f = func() { fmt.Println() }
	hook := func() { fmt.Println() } // a variable has the fate of its uses
	tx.OnCommit(hook)
	tx.OnCommit(func() { each(func() { fmt.Println() }) })
	return func() { fmt.Println() }, nil
}

func iterator(tx *stm.Tx) iter.Seq[int] {
	return func(yield func(int) bool) {
		fmt.Println() // want `fmt.Println`
	}
}

func each(f func()) {
	if f != nil {
		f()
	}
}

type registry struct {
	v     stm.Var[[]func()]
	hooks []func()
}

func (r *registry) add(tx *stm.Tx, f func())     { r.v.Set(tx, append(r.v.Get(tx), f)) }
func (r *registry) field(tx *stm.Tx, f func())   { r.hooks[0] = f }
func (r *registry) through(tx *stm.Tx, f func()) { r.field(tx, f) }
func (r *registry) all(tx *stm.Tx, f ...func())  {}

func callbacks(tx *stm.Tx, r *registry) {
	r.field(tx, func() { fmt.Println() })
	r.through(tx, func() { fmt.Println() })
	register(func() { fmt.Println() })
	r.add(tx, func() { fmt.Println() })
	r.all(tx, func() { fmt.Println() }) // want `fmt.Println`
	helped()
}

func helped() { each(func() { fmt.Println() }) }

func register(f func()) { hooks = append(hooks, f) }

var hooks []func()

func _() { fmt.Println(); helped() }

func init() { fmt.Println(); helped() }
