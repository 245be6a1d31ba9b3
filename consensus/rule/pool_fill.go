package rule

import (
	"bytes"
	"fmt"
	"slices"
	"unsafe"
)

// hear takes a Fact from the inbox.
func (p *Pool[S, V]) hear(tx *Tx, body any) bool {
	f, ok := body.(Fact[S, V])
	if !ok {
		return false
	}
	if int(f.Author) >= p.limits.Authors || p.forgotten(f.Slot) {
		return true
	}
	c, at := p.slots[f.Slot], -1
	if c != nil {
		at = c.find(f.Value)
	}
	if at >= 0 {
		if k := slices.Index(c.values[at].by, f.Author); k >= 0 { // known; perhaps not its proof
			if c.values[at].proofs[k] == nil {
				c.values[at].proofs[k] = f.Proof
			}
			return true
		}
	}
	switch {
	case f.Author == p.sp.self: // what we have said we know best; another thing means that somebody has our key
		if c != nil && c.spoke[f.Author] > 0 {
			p.catch(tx, f, c)
		}
	case c == nil || c.spoke[f.Author] == 0:
		if p.count[f.Author] < p.limits.SlotsMax && (p.limits.Admit == nil || p.limits.Admit(tx, f.Author, f.Slot)) {
			p.put(tx, f)
		}
	case c.spoke[f.Author] == 1:
		p.catch(tx, f, c)
		p.put(tx, f)
	case at >= 0 && c.spoke[f.Author] < spokeMax && p.limits.Also != nil && p.limits.Also(f.Slot, c.values[at].weight):
		p.put(tx, f)
	}
	return true
}

const spokeMax = 1<<8 - 1

// catch sends the evidence against an author to Host, once.
func (p *Pool[S, V]) catch(tx *Tx, f Fact[S, V], c *column[V]) {
	if p.caught[f.Author] {
		return
	}
	p.touch(tx, p)
	p.caught[f.Author], p.news = true, append(p.news, f.Author)
	for _, s := range c.values {
		if k := slices.Index(s.by, f.Author); k >= 0 {
			tx.Send(Host, [2]Fact[S, V]{{f.Author, f.Slot, s.v, s.proofs[k]}, f})
		}
	}
}

func (p *Pool[S, V]) forgotten(slot S) bool { return p.below != nil && p.limits.Below(slot, *p.below) }

func (p *Pool[S, V]) put(tx *Tx, f Fact[S, V]) {
	p.touch(tx, p)
	c := p.slots[f.Slot]
	if c == nil {
		c = &column[V]{spoke: make([]uint8, p.limits.Authors)}
		p.slots[f.Slot] = c
	}
	i, w := c.find(f.Value), p.weight(f.Author, f.Slot)
	if i < 0 {
		i = len(c.values)
		c.values = append(c.values, said[V]{v: f.Value})
	}
	s := &c.values[i]
	s.weight += w
	s.by, s.proofs = append(s.by, f.Author), append(s.proofs, f.Proof)
	if c.spoke[f.Author]++; c.spoke[f.Author] == 1 {
		c.any += w
		p.count[f.Author]++
	}
	p.added = append(p.added, added[S]{f.Slot, f.Author, i})
}

// undo takes back what was added, newest first.
func (p *Pool[S, V]) undo() {
	for _, at := range slices.Backward(p.added) {
		c, w := p.slots[at.slot], p.weight(at.author, at.slot)
		s := &c.values[at.value]
		n := len(s.by) - 1
		s.weight, s.by, s.proofs = s.weight-w, s.by[:n], s.proofs[:n]
		if n == 0 {
			c.values = c.values[:at.value]
		}
		if c.spoke[at.author]--; c.spoke[at.author] == 0 {
			c.any -= w
			p.count[at.author]--
		}
		if len(c.values) == 0 {
			delete(p.slots, at.slot)
		}
	}
	for _, a := range p.news {
		delete(p.caught, a)
	}
	p.added, p.news, p.newlow = p.added[:0], p.news[:0], nil
}

func (p *Pool[S, V]) clean() {
	p.added, p.news, p.dirty = p.added[:0], p.news[:0], false
	if p.newlow == nil {
		return
	}
	p.below, p.newlow = p.newlow, nil
	for slot, c := range p.slots {
		if !p.forgotten(slot) {
			continue
		}
		for a, n := range c.spoke {
			if n > 0 {
				p.count[a]--
			}
		}
		delete(p.slots, slot)
	}
}

// save writes what the process itself has said, and the floor.
func (p *Pool[S, V]) save(w *delta) {
	for _, at := range p.added {
		if at.author == p.sp.self {
			w.put(p.name, p.places.put(nil, unsafe.Pointer(&at.slot)), p.values.put(w.scratch(), unsafe.Pointer(&p.slots[at.slot].values[at.value].v)))
		}
	}
	if p.newlow == nil {
		return
	}
	w.put(p.name, nil, p.places.put(w.scratch(), unsafe.Pointer(p.newlow)))
	for _, slot := range p.mine() {
		if p.limits.Below(slot, *p.newlow) {
			w.drop(p.name, p.places.put(nil, unsafe.Pointer(&slot)))
		}
	}
}

// mine are the slots in which the process itself has spoken, in the order of their bytes.
func (p *Pool[S, V]) mine() (slots []S) {
	if !p.author() {
		return nil
	}
	for slot, c := range p.slots {
		if c.spoke[p.sp.self] > 0 {
			slots = append(slots, slot)
		}
	}
	slices.SortFunc(slots, func(a, b S) int {
		return bytes.Compare(p.places.put(nil, unsafe.Pointer(&a)), p.places.put(nil, unsafe.Pointer(&b)))
	})
	return slots
}

func (p *Pool[S, V]) load(r *past) bool {
	if b, ok := r.one(p.name); ok {
		p.below = new(S)
		if rest, ok := p.places.take(b, unsafe.Pointer(p.below)); !ok || len(rest) > 0 {
			return false
		}
	}
	for _, rec := range r.many(p.name) {
		if !p.author() {
			return false
		}
		f := Fact[S, V]{Author: p.sp.self}
		rest, ok := p.places.take(rec.key, unsafe.Pointer(&f.Slot))
		if !ok || len(rest) > 0 {
			return false
		}
		if rest, ok = p.values.take(rec.value, unsafe.Pointer(&f.Value)); !ok || len(rest) > 0 {
			return false
		}
		p.put(&Tx{}, f)
	}
	p.added, p.dirty, p.sp.dirty = p.added[:0], false, p.sp.dirty[:0]
	return true
}

// again are the process's own facts, to be said once more after a restart: others may have missed them.
func (p *Pool[S, V]) again() (ms []Message) {
	for _, slot := range p.mine() {
		v, _ := p.Own(&Tx{}, slot)
		ms = append(ms, Message{p.sp.self, All, Fact[S, V]{Author: p.sp.self, Slot: slot, Value: v}})
	}
	return ms
}

func (p *Pool[S, V]) schema() string {
	return fmt.Sprintf("pool %s %s", p.places.sig, p.values.sig)
}

func (p *Pool[S, V]) show() string {
	if p.dense == nil {
		return ""
	}
	return p.dense.show(p.sp.self)
}
