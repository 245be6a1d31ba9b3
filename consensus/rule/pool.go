package rule

import (
	"fmt"
	"slices"
	"unsafe"
)

// Pool is a set of facts that only grows: what authors have said, at most one thing for each slot. S is a slot, such as
// the votes of one kind in a round; V is what can be said in it. An author who says two things is caught: the first
// counts, the second is evidence.
//
// The queries are monotone: what has once been true stays true, as more is heard. So a guard made of them needs no care
// for order, loss and duplication, and exploration may give all processes one pool. Own, which is not, asks only for
// what the process itself has said. Facts below the floor are forgotten: no guard may need them.
type Pool[S, V comparable] struct {
	mark
	limits Limits[S]
	slots  map[S]*column[V]
	added  []place[S] // in this turn, to be undone
	below  *S         // floor
	newlow *S
	count  []int // slots by author
	twice  map[Peer]Conflict[S, V]
	plan   *plan
	slotsP *plan
	dense  *dense[S, V] // in a state vector
}

// Limits bound a Pool.
type Limits[S comparable] struct {
	Authors  int                                    // they are the Peers below it; required
	SlotsMax int                                    // for each author, above the floor; default 1024. A fact beyond is refused
	Weight   func(author Peer, slot S) uint64       // nil: 1 each
	Below    func(slot, floor S) bool               // what Floor forgets; nil: Floor panics
	Admit    func(tx *Tx, author Peer, slot S) bool // false refuses somebody's fact, as too far ahead; nil admits all
}

// Fact is what one author says in one slot: the message by which pools fill each other, and which On rules need not
// take. Who passes one in vouches for its author, by having checked the proof.
type Fact[S, V comparable] struct {
	Author Peer
	Slot   S
	Value  V
	Proof  []byte // kept for certificates; no part of what is said
}

// Conflict is evidence: two facts of one author in one slot. It is sent to Host, once for each author.
type Conflict[S, V comparable] struct{ First, Second Fact[S, V] }

type place[S comparable] struct {
	slot   S
	author Peer
}

// column is one slot.
type column[V comparable] struct {
	said  []V
	proof [][]byte
	has   []bool
}

// hearer is a pool as the inbox sees it.
type hearer interface {
	hear(tx *Tx, body any) bool
}

// NewPool declares a pool. What the process itself says is durable; what it hears is not, since others repeat it.
func NewPool[S, V comparable](s *Space, name string, l Limits[S]) *Pool[S, V] {
	if l.Authors < 1 {
		panic("rule: pool " + name + ": Limits.Authors is missing")
	}
	if l.SlotsMax == 0 {
		l.SlotsMax = 1024
	}
	p := &Pool[S, V]{limits: l, slots: map[S]*column[V]{}, count: make([]int, l.Authors), twice: map[Peer]Conflict[S, V]{}}
	s.add(p, name, durable)
	p.plan, p.slotsP = planFor[V](), planFor[S]()
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
// nothing; saying another thing is a mistake of the table: exploration reports it, a running module ends with it.
func (p *Pool[S, V]) Say(tx *Tx, slot S, v V) {
	self := p.sp.self
	if was, ok := p.Own(tx, slot); ok {
		if was != v {
			tx.out.broken(fmt.Sprintf("says %v after %v in %s %v", v, was, p.name, slot))
		}
		return
	}
	tx.writes |= p.bit
	if p.dense != nil {
		p.dense.put(self, slot, v)
		return
	}
	p.put(tx, self, slot, v, nil)
	tx.Send(All, Fact[S, V]{Author: self, Slot: slot, Value: v})
}

// Own is what the process itself has said in slot.
func (p *Pool[S, V]) Own(tx *Tx, slot S) (v V, ok bool) {
	tx.reads |= p.bit
	if p.dense != nil {
		return p.dense.get(tx, p.sp.self, slot)
	}
	if c := p.slots[slot]; c != nil && c.has[p.sp.self] {
		return c.said[p.sp.self], true
	}
	return v, false
}

// Has reports whether author has said v in slot.
func (p *Pool[S, V]) Has(tx *Tx, author Peer, slot S, v V) bool {
	tx.reads |= p.bit
	if p.dense != nil {
		if p.dense.faulty[author] {
			return true
		}
		got, ok := p.dense.get(tx, author, slot)
		return ok && got == v
	}
	c := p.slots[slot]
	return c != nil && int(author) < len(c.has) && c.has[author] && c.said[author] == v
}

// Weight is the weight of those who have said v in slot.
func (p *Pool[S, V]) Weight(tx *Tx, slot S, v V) (sum uint64) {
	tx.reads |= p.bit
	if p.dense != nil {
		return p.dense.weight(tx, p, slot, &v)
	}
	if c := p.slots[slot]; c != nil {
		for a, has := range c.has {
			if has && c.said[a] == v {
				sum += p.weight(Peer(a), slot)
			}
		}
	}
	return sum
}

// WeightAny is the weight of those who have said anything in slot.
func (p *Pool[S, V]) WeightAny(tx *Tx, slot S) (sum uint64) {
	tx.reads |= p.bit
	if p.dense != nil {
		return p.dense.weight(tx, p, slot, nil)
	}
	if c := p.slots[slot]; c != nil {
		for a, has := range c.has {
			if has {
				sum += p.weight(Peer(a), slot)
			}
		}
	}
	return sum
}

// Facts are those who have said v in slot, with their proofs, by author: what a certificate is made of. In exploration
// faulty authors are left out.
func (p *Pool[S, V]) Facts(tx *Tx, slot S, v V) (fs []Fact[S, V]) {
	for a := range Peer(p.limits.Authors) {
		if p.dense != nil && p.dense.faulty[a] || !p.Has(tx, a, slot, v) {
			continue
		}
		f := Fact[S, V]{Author: a, Slot: slot, Value: v}
		if p.dense == nil {
			f.Proof = p.slots[slot].proof[a]
		}
		fs = append(fs, f)
	}
	return fs
}

// Values are the different things said in slot, by their first author: a domain for For. In exploration what a faulty
// author may have said is not among them.
func (p *Pool[S, V]) Values(tx *Tx, slot S) (vs []V) {
	tx.reads |= p.bit
	for a := range Peer(p.limits.Authors) {
		var v V
		ok := false
		if p.dense != nil {
			v, ok = p.dense.get(tx, a, slot)
		} else if c := p.slots[slot]; c != nil && c.has[a] {
			v, ok = c.said[a], true
		}
		if ok && !slices.Contains(vs, v) {
			vs = append(vs, v)
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
	if p.dense != nil {
		tx.armed = true
		return
	}
	p.touch(tx, p)
	p.newlow = &floor
}

// hear takes a Fact from the inbox.
func (p *Pool[S, V]) hear(tx *Tx, body any) bool {
	f, ok := body.(Fact[S, V])
	if !ok {
		return false
	}
	if int(f.Author) >= p.limits.Authors || p.forgotten(f.Slot) {
		return true
	}
	c := p.slots[f.Slot]
	if c != nil && c.has[f.Author] {
		switch {
		case c.said[f.Author] != f.Value:
			p.caught(tx, f, c)
		case c.proof[f.Author] == nil && f.Proof != nil:
			c.proof[f.Author] = f.Proof
		}
		return true
	}
	if f.Author == p.sp.self || p.limits.Admit != nil && !p.limits.Admit(tx, f.Author, f.Slot) {
		return true // what we have said we know best: after a crash it is in the store
	}
	if p.count[f.Author] < p.limits.SlotsMax {
		p.put(tx, f.Author, f.Slot, f.Value, f.Proof)
	}
	return true
}

func (p *Pool[S, V]) caught(tx *Tx, f Fact[S, V], c *column[V]) {
	if _, known := p.twice[f.Author]; known {
		return
	}
	e := Conflict[S, V]{Fact[S, V]{f.Author, f.Slot, c.said[f.Author], c.proof[f.Author]}, f}
	p.twice[f.Author] = e
	tx.Send(Host, e)
}

func (p *Pool[S, V]) forgotten(slot S) bool { return p.below != nil && p.limits.Below(slot, *p.below) }

func (p *Pool[S, V]) put(tx *Tx, author Peer, slot S, v V, proof []byte) {
	p.touch(tx, p)
	c := p.slots[slot]
	if c == nil {
		n := p.limits.Authors
		c = &column[V]{make([]V, n), make([][]byte, n), make([]bool, n)}
		p.slots[slot] = c
	}
	c.said[author], c.proof[author], c.has[author] = v, proof, true
	p.count[author]++
	p.added = append(p.added, place[S]{slot, author})
}

func (p *Pool[S, V]) undo() {
	for _, at := range p.added {
		c := p.slots[at.slot]
		var zero V
		c.said[at.author], c.proof[at.author], c.has[at.author] = zero, nil, false
		p.count[at.author]--
	}
	p.added, p.newlow = p.added[:0], nil
}

func (p *Pool[S, V]) clean() {
	p.added, p.dirty = p.added[:0], false
	if p.newlow == nil {
		return
	}
	p.below, p.newlow = p.newlow, nil
	for slot, c := range p.slots {
		if p.limits.Below(slot, *p.below) {
			for a, has := range c.has {
				if has {
					p.count[a]--
				}
			}
			delete(p.slots, slot)
		}
	}
}

func (p *Pool[S, V]) save(w *delta) {
	for _, at := range p.added {
		if at.author == p.sp.self {
			w.put(p.name, p.slotsP.put(nil, unsafe.Pointer(&at.slot)), p.plan.put(w.scratch(), unsafe.Pointer(&p.slots[at.slot].said[at.author])))
		}
	}
	if p.newlow != nil {
		w.put(p.name, nil, p.slotsP.put(w.scratch(), unsafe.Pointer(p.newlow)))
		for slot, c := range p.slots {
			if p.limits.Below(slot, *p.newlow) && c.has[p.sp.self] {
				w.drop(p.name, p.slotsP.put(nil, unsafe.Pointer(&slot)))
			}
		}
	}
}

func (p *Pool[S, V]) load(r *past) bool {
	if b, ok := r.one(p.name); ok {
		p.below = new(S)
		if rest, ok := p.slotsP.take(b, unsafe.Pointer(p.below)); !ok || len(rest) > 0 {
			return false
		}
	}
	tx := &Tx{}
	for _, rec := range r.many(p.name) {
		var slot S
		var v V
		rest, ok := p.slotsP.take(rec.key, unsafe.Pointer(&slot))
		if !ok || len(rest) > 0 {
			return false
		}
		if rest, ok = p.plan.take(rec.value, unsafe.Pointer(&v)); !ok || len(rest) > 0 {
			return false
		}
		p.put(tx, p.sp.self, slot, v, nil)
	}
	p.added, p.dirty, p.sp.dirty = p.added[:0], false, p.sp.dirty[:0]
	return true
}

func (p *Pool[S, V]) schema() string {
	return fmt.Sprintf("pool %s %s %d", p.slotsP.sig, p.plan.sig, p.limits.Authors)
}

func (p *Pool[S, V]) show() string { return "" }
