package stm

import (
	"encoding/binary"
	"math"
	"reflect"
	"strings"
	"time"
	"unsafe"
)

// A Model is a memory of its own for transaction bodies: it runs them against a [State], a value, and leaves the Vars
// themselves alone. That is what an explorer of all behaviours needs, and a test of a body. The zero Model is ready; in
// its initial state, which is the empty State, every Var has the value it has when the model first meets it.
//
// A Model is for one goroutine. Bodies use Vars made before: one that a body makes is another in each run. Values of a Var are told apart by what can be reached from them; those that hold
// functions, channels or locks cannot be, and panic. At most 65,536 values a Var.
type Model struct {
	slots  []*slot
	number map[*core]int
	tx     *Tx
	extra  extraTx
	body   func(tx *Tx) error
	only   []func(tx *Tx) (struct{}, error) // the body, as the only alternative
	state  State
	step   Step
	runs   int
}

// State is the values of all Vars of one Model. States are equal exactly if all Vars have equal values, so a State can
// be a map key. It means nothing to another Model.
type State string

// Step is what Model.Run has found.
type Step struct {
	Next   State // the state after the body; the one before it if it has failed or retried
	Err    error // what the body has returned; ErrRetry also if it has retried otherwise
	Reads  []int // the Vars read before they were written, by Model.Name's numbers, each once, in order
	Writes []int // the Vars written, in order; none if Err is not nil
}

// slot is one Var of a Model: its values, by their numbers in a State.
type slot struct {
	c      *core
	values []stored
	ids    map[any]int
	key    func(w uint64, p unsafe.Pointer) any
	read   int // the run that has last read it
}

type stored struct {
	w uint64
	p unsafe.Pointer
}

// Run runs body on s. Nothing outside the Model changes: functions given to OnCommit are dropped, and time stands still
// at the beginning of 1970. A panic of the body passes through. The slices of the Step are good until the next Run.
func (m *Model) Run(s State, body func(tx *Tx) error) Step {
	if m.tx == nil {
		m.tx, m.number, m.extra.model = newTx(), map[*core]int{}, m
		m.only = append(m.only, func(tx *Tx) (struct{}, error) { return struct{}{}, m.body(tx) })
	}
	if d := debugging.Load(); d != nil {
		return d.runModel(m, s, body)
	}
	return m.run(s, body)
}

func (m *Model) run(s State, body func(tx *Tx) error) Step {
	tx := m.tx
	tx.begin()
	tx.makeSpecial(&m.extra)
	defer tx.release()
	tx.now, m.body = time.Unix(0, 0), body
	m.runs++
	m.state, m.step = s, Step{Next: s, Reads: m.step.Reads[:0], Writes: m.step.Writes[:0]}
	_, _, done, err := firstOf(tx, m.only)
	if m.step.Err = err; !done {
		m.step.Err = ErrRetry
	} else if err == nil && len(tx.ws) > 0 {
		next := []byte(s)
		for i := range tx.ws {
			n := m.number[tx.ws[i].c]
			m.step.Writes = append(m.step.Writes, n)
			next = put(next, n, m.slots[n].id(tx.ws[i].w, tx.ws[i].p))
		}
		m.step.Next = State(strings.TrimRight(string(next), "\x00"))
	}
	return m.step
}

// Name is the label of the Var with a number of a Step. Numbers are given in the order of first use.
func (m *Model) Name(number int) string { return m.slots[number].c.name() }

// lookupIn is Get in a Model.
func lookupIn[T any](m *Model, tx *Tx, v *Var[T]) T {
	c := &v.c
	if e := tx.written(c); e != nil {
		return decode[T](c.kind, e.w, e.p)
	}
	n := slotOf(m, v)
	s := m.slots[n]
	if s.read != m.runs {
		s.read = m.runs
		m.step.Reads = append(m.step.Reads, n)
	}
	x := s.values[m.state.At(n)]
	return decode[T](c.kind, x.w, x.p)
}

// slotOf is the number of v in m, given at the first use.
func slotOf[T any](m *Model, v *Var[T]) int {
	c := &v.c
	n, ok := m.number[c]
	if !ok {
		n = m.name(c)
	}
	if s := m.slots[n]; s.key == nil {
		s.key, s.ids = keyOf[T](m, c.kind), map[any]int{}
		s.id(c.latest())
	}
	return n
}

// name gives c a number.
func (m *Model) name(c *core) int {
	n := len(m.slots)
	m.number[c] = n
	m.slots = append(m.slots, &slot{c: c})
	return n
}

// keyOf tells values of a Var[T] apart.
func keyOf[T any](m *Model, k kind) func(w uint64, p unsafe.Pointer) any {
	if t := reflect.TypeFor[T](); k == kindWord && t.Comparable() {
		return func(w uint64, _ unsafe.Pointer) any { return w }
	}
	return func(w uint64, p unsafe.Pointer) any {
		x := decode[T](k, w, p)
		pr := printer{limit: math.MaxInt, number: m.numberOf, opaque: func(t reflect.Type) {
			panic("stm: a Model cannot tell values of " + reflect.TypeFor[T]().String() + " apart, because of " + t.String())
		}}
		pr.value(reflect.ValueOf(&x).Elem())
		return string(pr.out)
	}
}

func (m *Model) numberOf(c *core) uint64 {
	n, ok := m.number[c]
	if !ok {
		n = m.name(c)
	}
	return uint64(n)
}

// id is the number of a value.
func (s *slot) id(w uint64, p unsafe.Pointer) int {
	k := s.key(w, p)
	id, ok := s.ids[k]
	if !ok {
		id = len(s.values)
		if id > 0xffff {
			panic("stm: more than 65536 values of Var " + s.c.name() + " in a Model")
		}
		s.ids[k] = id
		s.values = append(s.values, stored{w, p})
	}
	return id
}

// At is the number of the value that a Var, by its own number, has in s. Numbers stand for values of one Var in one Model;
// what a body does depends on those at Step.Reads alone, so an explorer may run it once for each of their combinations.
func (s State) At(n int) int {
	if len(s) <= 2*n {
		return 0
	}
	var b [2]byte
	copy(b[:], s[2*n:])
	return int(binary.LittleEndian.Uint16(b[:]))
}

func put(s []byte, n, id int) []byte {
	for len(s) < 2*n+2 {
		s = append(s, 0)
	}
	binary.LittleEndian.PutUint16(s[2*n:], uint16(id))
	return s
}
