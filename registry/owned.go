package registry

import (
	"reflect"
	"slices"
	"weak"

	"github.com/synodkit/synod/stm"
)

// Owned declares that only tasks of s, of scopes below it, and its body write v, and returns v. It is a promise that
// nobody checks: [Dump] relies on it when it says that a scope is in deadlock. s does not keep v.
func Owned[T any](s *Scope, v *stm.Var[T]) *stm.Var[T] {
	p := weak.Make(v)
	s.own(func() uintptr { return addressOf(p.Value()) })
	return v
}

// addressOf is how a Var is told from others in the waits of the engine.
func addressOf[T any](v *stm.Var[T]) uintptr { return reflect.ValueOf(v).Pointer() }

// ownership is the Vars that are declared to be a scope's. Under the scope's mu.
type ownership struct {
	vars []func() uintptr // 0 for one that is garbage
	next int              // how many may be there before the garbage among them is dropped
}

const ownedMin = 16

func (s *Scope) own(v func() uintptr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.owned == nil {
		s.owned = &ownership{next: ownedMin}
	}
	o := s.owned
	if len(o.vars) == o.next {
		o.vars = slices.DeleteFunc(o.vars, func(v func() uintptr) bool { return v() == 0 })
		o.next = max(ownedMin, 2*len(o.vars))
	}
	o.vars = append(o.vars, v)
}
