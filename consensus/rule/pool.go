package rule

import (
	"fmt"
	"slices"
)

// Pool is a set of facts that only grows: what authors have said, one thing for each slot if they are honest. S is a
// slot, such as the votes of one kind in a round; V is what can be said in it. Whoever says two things in a slot counts
// for both, as in a set of messages he would, and both go to Host as a [2]Fact, once for each author: evidence.
//
// The queries are monotone: what has once been true stays true, as more is heard. So a guard made of them needs no care
// for order, loss and duplication, and exploration may give all processes one pool. Own, which is not, asks only for
// what the process itself has said. Facts below the floor are forgotten: no guard may need them.
type Pool[S, V comparable] struct {
	mark
	limits Limits[S]
	slots  map[S]*column[V]
	added  []added[S] // in this turn, to be undone
	caught map[Peer]bool
	news   []Peer // caught in this turn
	below  *S     // floor
	newlow *S
	count  []int // slots by author
	values *plan
	places *plan
	dense  *dense[S, V] // in a state vector
}

// Limits bound a Pool.
type Limits[S comparable] struct {
	Authors  int                                    // they are the Peers below it; required
	SlotsMax int                                    // for each author, above the floor; default 1024. A fact beyond is refused
	Weight   func(author Peer, slot S) uint64       // nil: 1 each
	Below    func(slot, floor S) bool               // what Floor forgets; nil: Floor panics
	Admit    func(tx *Tx, author Peer, slot S) bool // false refuses somebody's fact, as too far ahead; nil admits all
	Also     func(slot S, weight uint64) bool       // whether a third thing of one author is let in, if others of this weight say it; nil: never
}

// Fact is what one author says in one slot: the message by which pools fill each other, and which On rules need not
// take. Who passes one in vouches for its author, by having checked the proof.
type Fact[S, V comparable] struct {
	Author Peer
	Slot   S
	Value  V
	Proof  []byte // kept for certificates; no part of what is said
}

// added is one fact that this turn has added.
type added[S comparable] struct {
	slot   S
	author Peer
	value  int
}

// column is one slot.
type column[V comparable] struct {
	spoke  []uint8 // by author: how many things
	any    uint64  // weight of those who have spoken
	values []said[V]
}

// said is one thing that was said in a slot.
type said[V comparable] struct {
	v      V
	weight uint64
	by     []Peer
	proofs [][]byte
}

func (c *column[V]) find(v V) int {
	for i := range c.values {
		if c.values[i].v == v {
			return i
		}
	}
	return -1
}

// hearer is a pool as the inbox sees it.
type hearer interface {
	hear(tx *Tx, body any) bool
	again() []Message
}

// NewPool declares a pool. What the process itself says is durable; what it hears is not, since others repeat it.
func NewPool[S, V comparable](s *Space, name string, l Limits[S]) *Pool[S, V] {
	if l.Authors < 1 {
		panic("rule: pool " + name + ": Limits.Authors is missing")
	}
	if l.SlotsMax == 0 {
		l.SlotsMax = 1024
	}
	p := &Pool[S, V]{limits: l, slots: map[S]*column[V]{}, count: make([]int, l.Authors), caught: map[Peer]bool{}}
	s.add(p, name, durable)
	p.values, p.places = planFor[V](), planFor[S]()
	s.hears = append(s.hears, p)
	if s.vec != nil {
		p.dense = denseFor[S, V](s.vec, name, l)
	}
	return p
}

func (p *Pool[S, V]) weight(author Peer, slot S) uint64 {
	if p.limits.Weight == nil {
		return 1
	}
	return p.limits.Weight(author, slot)
}

// Say makes v the process's own fact in slot, and sends it to all once it is durable. Saying the same again does
// nothing; saying another thing, or anything without being an author, is a mistake of the table: exploration reports it,
// a running module ends with it.
func (p *Pool[S, V]) Say(tx *Tx, slot S, v V) {
	if !p.author() {
		tx.out.broken(fmt.Sprintf("says %v in %s %v, and is no author", v, p.name, slot))
		return
	}
	if was, ok := p.Own(tx, slot); ok {
		if was != v {
			tx.out.broken(fmt.Sprintf("says %v after %v in %s %v", v, was, p.name, slot))
		}
		return
	}
	tx.writes |= p.bit
	if p.dense != nil {
		p.dense.put(p.sp.self, slot, v)
		return
	}
	f := Fact[S, V]{Author: p.sp.self, Slot: slot, Value: v}
	p.put(tx, f)
	tx.Send(All, f)
}

// author reports whether the process may say something: others only listen.
func (p *Pool[S, V]) author() bool { return int(p.sp.self) < p.limits.Authors }

// Own is what the process itself has said in slot. Who is no author has said nothing.
func (p *Pool[S, V]) Own(tx *Tx, slot S) (v V, ok bool) {
	tx.reads |= p.bit
	if !p.author() {
		return v, false
	}
	if p.dense != nil {
		return p.dense.get(tx, p.sp.self, slot)
	}
	if c := p.slots[slot]; c != nil && c.spoke[p.sp.self] > 0 {
		for _, s := range c.values {
			if slices.Contains(s.by, p.sp.self) {
				return s.v, true
			}
		}
	}
	return v, false
}

// Has reports whether author has said v in slot.
func (p *Pool[S, V]) Has(tx *Tx, author Peer, slot S, v V) bool {
	tx.reads |= p.bit
	if p.dense != nil {
		return p.dense.has(tx, author, slot, v)
	}
	if c := p.slots[slot]; c != nil {
		if i := c.find(v); i >= 0 {
			return slices.Contains(c.values[i].by, author)
		}
	}
	return false
}

// Weight is the weight of those who have said v in slot.
func (p *Pool[S, V]) Weight(tx *Tx, slot S, v V) uint64 {
	tx.reads |= p.bit
	if p.dense != nil {
		return p.dense.weight(tx, p, slot, v)
	}
	if c := p.slots[slot]; c != nil {
		if i := c.find(v); i >= 0 {
			return c.values[i].weight
		}
	}
	return 0
}

// WeightAny is the weight of those who have said anything in one of the slots.
func (p *Pool[S, V]) WeightAny(tx *Tx, slots ...S) (sum uint64) {
	tx.reads |= p.bit
	if p.dense == nil && len(slots) == 1 {
		if c := p.slots[slots[0]]; c != nil {
			return c.any
		}
		return 0
	}
	for a := range Peer(p.limits.Authors) {
		for _, slot := range slots {
			if p.spoke(tx, a, slot) {
				sum += p.weight(a, slot)
				break
			}
		}
	}
	return sum
}

func (p *Pool[S, V]) spoke(tx *Tx, author Peer, slot S) bool {
	if p.dense != nil {
		return p.dense.spoke(tx, author, slot)
	}
	c := p.slots[slot]
	return c != nil && c.spoke[author] > 0
}

// Facts are those who have said v in slot, with their proofs: what a certificate is made of. In exploration faulty
// authors are left out.
func (p *Pool[S, V]) Facts(tx *Tx, slot S, v V) (fs []Fact[S, V]) {
	tx.reads |= p.bit
	if p.dense != nil {
		for a := range Peer(p.limits.Authors) {
			if got, ok := p.dense.get(tx, a, slot); ok && got == v {
				fs = append(fs, Fact[S, V]{Author: a, Slot: slot, Value: v})
			}
		}
		return fs
	}
	if c := p.slots[slot]; c != nil {
		if i := c.find(v); i >= 0 {
			for k, a := range c.values[i].by {
				fs = append(fs, Fact[S, V]{a, slot, v, c.values[i].proofs[k]})
			}
		}
	}
	return fs
}

// Values are the different things said in slot: a domain for For. In exploration what a faulty author may have said is
// not among them.
func (p *Pool[S, V]) Values(tx *Tx, slot S) (vs []V) {
	tx.reads |= p.bit
	if p.dense != nil {
		for a := range Peer(p.limits.Authors) {
			if v, ok := p.dense.get(tx, a, slot); ok && !slices.Contains(vs, v) {
				vs = append(vs, v)
			}
		}
		return vs
	}
	if c := p.slots[slot]; c != nil {
		for _, s := range c.values {
			vs = append(vs, s.v)
		}
	}
	return vs
}

// Floor forgets the facts that Limits.Below says are below floor, and refuses them from now on. In exploration it does
// nothing: there, a guard that still asks for them must be found out by a test that runs.
func (p *Pool[S, V]) Floor(tx *Tx, floor S) {
	if p.limits.Below == nil {
		panic("rule: pool " + p.name + ": Floor without Limits.Below")
	}
	tx.armed = true
	if p.dense != nil || p.forgotten(floor) || p.newlow != nil && p.limits.Below(floor, *p.newlow) {
		return
	}
	p.touch(tx, p)
	p.newlow = &floor
}
