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
	if tx.mode != running {
		tx.misused()
	}
	w, p := tx.read(&v.c)
	return decode[T](v.c.kind, w, p)
}

// Set gives v a new value, seen by others when tx commits.
func (v *Var[T]) Set(tx *Tx, x T) {
	if tx.mode != running {
		tx.misused()
	}
	e := tx.writeTo(&v.c)
	if v.c.kind == kindWord {
		e.w, _ = encode(kindWord, x)
		return
	}
	_, e.p = encode(v.c.kind, x)
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
