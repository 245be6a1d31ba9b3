package rule

import (
	"fmt"
	"reflect"
)

// Table is a protocol: what one instance's state is, and its rules, in the order in which they are tried. P is usually
// a pointer to a struct of Vars. A Table is a value and may be shared.
type Table[P any] struct {
	Name    string           // of the protocol and, in a store, of the instance; letters, digits, - and /
	Version int              // of the meaning of what is stored; what its structure tells need not be counted
	New     func(s *Space) P // declares the state
	Rules   []Rule[P]
}

// Rule is "upon a guard do an action", made by Upon, For or On.
type Rule[P any] struct {
	name string
	on   bool // of a message
	keep bool
	msg  reflect.Type
	make func() clause[P]
	pre  []contract[P]
	post []contract[P]
}

// clause is a rule as one runner uses it.
type clause[P any] struct {
	bind func(tx *Tx, p P) int // evaluates the domain; nil: one binding
	when func(tx *Tx, p P, i int) bool
	do   func(tx *Tx, p P, i int)
	show func(i int) string
	// of a message
	hear func(tx *Tx, p P, m any) bool
	take func(tx *Tx, p P, m any)
}

type contract[P any] struct {
	name string
	ok   func(before, after *Tx, p P) bool
}

// Name is the rule's name, by convention the paper's.
func (r Rule[P]) Name() string { return r.name }

// Upon is a rule about state: whenever when holds, do is done. It must make when false, sooner or later.
func Upon[P any](name string, when func(*Tx, P) bool, do func(*Tx, P)) Rule[P] {
	b := clause[P]{
		when: func(tx *Tx, p P, _ int) bool { return when(tx, p) },
		do:   func(tx *Tx, p P, _ int) { do(tx, p) },
		show: func(int) string { return "" },
	}
	return Rule[P]{name: name, make: func() clause[P] { return b }}
}

// For is Upon for each binding of a domain, which may depend on the state. The slice is read, not kept.
func For[P, B any](name string, domain func(*Tx, P) []B, when func(*Tx, P, B) bool, do func(*Tx, P, B)) Rule[P] {
	return Rule[P]{name: name, make: func() clause[P] {
		var now []B
		return clause[P]{
			bind: func(tx *Tx, p P) int { now = domain(tx, p); return len(now) },
			when: func(tx *Tx, p P, i int) bool { return when(tx, p, now[i]) },
			do:   func(tx *Tx, p P, i int) { do(tx, p, now[i]) },
			show: func(i int) string { return fmt.Sprintf("%v", now[i]) },
		}
	}}
}

// On is a rule about a message of type M, which may be an interface. A message goes to the first rule of its type whose
// guard holds, in table order, and is dropped if none does.
func On[P, M any](name string, when func(*Tx, P, M) bool, do func(*Tx, P, M)) Rule[P] {
	b := clause[P]{
		hear: func(tx *Tx, p P, m any) bool { return when(tx, p, m.(M)) },
		take: func(tx *Tx, p P, m any) { do(tx, p, m.(M)) },
	}
	return Rule[P]{name: name, on: true, msg: reflect.TypeFor[M](), make: func() clause[P] { return b }}
}

// Keep makes an On rule pass the message on to the rules after it.
func (r Rule[P]) Keep() Rule[P] {
	r.keep = true
	return r
}

// Requires adds a precondition: in exploration, it must hold whenever the rule fires.
func (r Rule[P]) Requires(name string, ok func(tx *Tx, p P) bool) Rule[P] {
	r.pre = append(r.pre[:len(r.pre):len(r.pre)], contract[P]{name, func(before, _ *Tx, p P) bool { return ok(before, p) }})
	return r
}

// Ensures adds a postcondition, on the states before and after the rule: in exploration, it must hold whenever the rule
// has fired.
func (r Rule[P]) Ensures(name string, ok func(before, after *Tx, p P) bool) Rule[P] {
	r.post = append(r.post[:len(r.post):len(r.post)], contract[P]{name, ok})
	return r
}
