package stm

import (
	"context"
	"reflect"

	"github.com/synodkit/synod/internal/seam"
)

// Var is a transactional variable. The zero Var holds the zero T and is ready; one made by NewVar is faster. A Var must
// not be copied. Values are shared between transactions: what a slice, map or pointer in a Var leads to must not be
// changed after Set.
type Var[T any] struct{ c core }

// NewVar makes a Var. It may be called anywhere, inside a body too; a Var made by a run that is undone is garbage.
func NewVar[T any](initial T) *Var[T] {
	v := &Var[T]{}
	v.c.kind = kindOf(reflect.TypeFor[T]())
	v.c.publish(encode(v.c.kind, initial))
	if seam.Running() {
		v.c.born()
	}
	return v
}

// Get is the value that tx sees: its own last Set, or the value in its snapshot.
func (v *Var[T]) Get(tx *Tx) T {
	c := &v.c
	l := c.lock.Load()
	w, p := c.value()
	limit := tx.fast
	if limit == 0 && tx.bloom&bloomBit(c) == 0 {
		limit = tx.snap
	}
	if l < limit {
		if c.lock.Load() == l {
			if n := len(tx.rs); n < cap(tx.rs) {
				if limit == serialBit {
					tx.fast = tx.snap
				}
				tx.rs = tx.rs[:n+1]
				tx.rs[n] = read{c, l}
				return decode[T](c.kind, w, p)
			}
		}
	}
	if tx.mode == special {
		return v.lookup(tx)
	}
	w2, p2 := tx.read(c)
	return decode[T](c.kind, w2, p2)
}

// Set gives v a new value, seen by others when tx commits.
func (v *Var[T]) Set(tx *Tx, x T) {
	c := &v.c
	var e *write
	if n, b := len(tx.ws), bloomBit(c); n < tx.room && tx.bloom&b == 0 {
		tx.bloom, tx.fast = tx.bloom|b, 0
		tx.ws = tx.ws[:n+1] // what lies there is cleared
		e = &tx.ws[n]
		e.c = c
	} else if tx.mode == special {
		v.assign(tx, x)
		return
	} else {
		e = tx.writeTo(c)
	}
	if c.kind == kindWord {
		e.w, _ = encode(kindWord, x)
		return
	}
	_, e.p = encode(c.kind, x)
}

// Update sets v to f of its value.
func (v *Var[T]) Update(tx *Tx, f func(T) T) { v.Set(tx, f(v.Get(tx))) }

// Load is the latest committed value, without a transaction. Two Loads need not belong to one moment: use Query for
// that. In a simulation it is a step.
func (v *Var[T]) Load(ctx context.Context) T {
	if w := seam.From(ctx); w != nil {
		w.Point()
		w.Effect(&seam.Effect{Reads: []uint32{v.c.id(w)}})
	}
	x, p := v.c.latest()
	return decode[T](v.c.kind, x, p)
}

// Label names v in dumps, traces and deadlock reports. It returns v.
func (v *Var[T]) Label(name string) *Var[T] {
	v.c.more().label.Store(&name)
	return v
}
