package rule

import (
	"fmt"
	"unsafe"

	"github.com/synodkit/synod/stm"
)

// Var is one variable of a protocol. It belongs to the rules of one instance: only they read and write it, through
// their Tx. What a slice, map or pointer in it leads to must not be changed after Set.
type Var[T any] struct {
	mark
	at      *T // where the value is: cur, or in a state vector; nil: interned
	plan    *plan
	initial T
	cur     T
	old     T // before this turn
	// in a state vector, for values that have pointers or padding
	id    *uint32
	table *interned[T]
	// of an Output
	shown *stm.Var[T]
	held  []T // of turns that are not yet durable, oldest first
}

// Durable declares a Var that survives a crash: its value is in the store before anything that the same turn says can
// be seen. Types: integers, bools, floats, strings, arrays, structs, slices, pointers of these, and what has
// AppendBinary and UnmarshalBinary.
func Durable[T any](s *Space, name string, initial T) *Var[T] {
	return newVar(s, name, durable, initial)
}

// Volatile declares a Var that a crash sets back to its initial value.
func Volatile[T any](s *Space, name string, initial T) *Var[T] {
	return newVar(s, name, volatile, initial)
}

// Output declares a Volatile Var that other modules may read, by Seen.
func Output[T any](s *Space, name string, initial T) *Var[T] {
	return newVar(s, name, output, initial)
}

func newVar[T any](s *Space, name string, k kind, initial T) *Var[T] {
	v := &Var[T]{initial: initial, cur: initial}
	s.add(v, name, k)
	v.at = &v.cur
	if s.vec != nil {
		v.plan = planFor[T]()
		v.inVector(s.vec)
		return v
	}
	if k == durable {
		v.plan = planFor[T]()
	}
	if k == output {
		v.shown = stm.NewVar(initial).Label(name)
	}
	return v
}

// inlineMax is the size up to which a value stands in the vector itself: beyond, its number is shorter to hash and copy.
const inlineMax = 16

func (v *Var[T]) inVector(vec *vector) {
	if v.plan.packed && v.plan.size <= inlineMax {
		v.size = v.plan.size
		var p unsafe.Pointer
		p, v.off = vec.place(v.size, unsafe.Alignof(v.cur))
		v.at = (*T)(p)
		*v.at = v.initial
		return
	}
	v.table = tableFor[T](vec, v.plan)
	v.size = 4
	var p unsafe.Pointer
	p, v.off = vec.place(4, 4)
	v.at, v.id = nil, (*uint32)(p)
	*v.id = v.table.id(&v.initial)
}

// tableFor is one per type, so that equal values have equal numbers in all Vars.
func tableFor[T any](vec *vector, pl *plan) *interned[T] {
	key := fmt.Sprintf("%T", (*T)(nil))
	if t, ok := vec.kinds[key].(*interned[T]); ok {
		return t
	}
	t := newInterned[T](pl)
	vec.kinds[key] = t
	return t
}

// Get is the value.
func (v *Var[T]) Get(tx *Tx) T {
	tx.reads |= v.bit
	if v.at == nil || tx.before != nil {
		return v.slowGet(tx)
	}
	return *v.at // and no more, so that Get is inlined
}

func (v *Var[T]) slowGet(tx *Tx) T {
	switch {
	case tx.before == nil:
		return v.table.vals[*v.id]
	case v.sp.vec == nil:
		panic("rule: before is known in exploration alone")
	case v.at == nil:
		return v.table.vals[*(*uint32)(unsafe.Add(tx.before, v.off))]
	}
	return *(*T)(unsafe.Add(tx.before, v.off))
}

// Set gives the Var a new value.
func (v *Var[T]) Set(tx *Tx, x T) {
	if v.touch(tx, v) {
		v.old = v.cur
	}
	if v.at != nil {
		*v.at = x
		return
	}
	v.intern(x)
}

// intern is apart because it moves its argument to the heap.
//
//go:noinline
func (v *Var[T]) intern(x T) { *v.id = v.table.id(&x) }

// Seen is an Output's value as it may be known outside: of the last turn that is durable.
func (v *Var[T]) Seen(tx *stm.Tx) T {
	if v.kind != output {
		panic("rule: " + v.name + " is no Output")
	}
	return v.shown.Get(tx)
}

func (v *Var[T]) undo() { v.cur = v.old }

func (v *Var[T]) clean() {
	var zero T
	v.old, v.dirty = zero, false
}

func (v *Var[T]) save(w *delta) { w.put(v.name, nil, v.plan.put(w.scratch(), unsafe.Pointer(&v.cur))) }

func (v *Var[T]) load(r *past) bool {
	b, ok := r.one(v.name)
	if !ok {
		return true // never written: the initial value holds
	}
	rest, ok := v.plan.take(b, unsafe.Pointer(&v.cur))
	return ok && len(rest) == 0
}

// hold keeps the turn's value of an Output until the turn is durable.
func (v *Var[T]) hold() { v.held = append(v.held, v.cur) }

// publish shows the oldest held value.
func (v *Var[T]) publish(tx *stm.Tx) { v.shown.Set(tx, v.held[0]) }

// published drops it.
func (v *Var[T]) published() {
	n := copy(v.held, v.held[1:])
	clear(v.held[n:])
	v.held = v.held[:n]
}

func (v *Var[T]) schema() string { return v.plan.sig }

func (v *Var[T]) show() string {
	if v.at == nil {
		return fmt.Sprint(v.table.vals[*v.id])
	}
	return fmt.Sprint(*v.at)
}
