// Package rule stands for the real one.
package rule

type Peer uint32

type Tx struct{}

func (*Tx) Given(name string, ok bool) bool { return ok }
func (*Tx) Send(to Peer, m any)             {}

type Var[T any] struct{ v T }

func (v *Var[T]) Get(tx *Tx) T    { return v.v }
func (v *Var[T]) Set(tx *Tx, x T) { v.v = x }

type Rule[P any] struct{}

func Upon[P any](name string, when func(*Tx, P) bool, do func(*Tx, P)) Rule[P] { return Rule[P]{} }
func For[P, B any](name string, domain func(*Tx, P) []B, when func(*Tx, P, B) bool, do func(*Tx, P, B)) Rule[P] {
	return Rule[P]{}
}
func On[P, M any](name string, when func(*Tx, P, M) bool, do func(*Tx, P, M)) Rule[P] {
	return Rule[P]{}
}
