package rule

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"strings"
	"unsafe"
)

// network is what has been said in a world: a set of messages, as bits of the state vector.
type network struct {
	most  int        // messages in all
	max   int        // messages for which there is room
	bag   []uint64   // in the vector: can be heard
	held  [][]uint64 // in the vector, by process: said, not yet out; only if syncs are explored
	msgs  []Message
	types []int // of each message: its place in heard
	heard [][]int
	known map[reflect.Type]int
	plans []*plan
	on    []reflect.Type // message types of the table's On rules, nil for others
	ids   map[string]int
	buf   []byte
}

func (n *network) init(vec *vector, w interface {
	network() (int, int, []reflect.Type)
}) {
	var held int
	n.most, held, n.on = w.network()
	n.max = min(n.most, max(64, vec.room[messages]))
	n.known, n.ids = map[reflect.Type]int{}, map[string]int{}
	n.bag = words64(vec, n.max)
	for range held {
		n.held = append(n.held, words64(vec, n.max))
	}
}

const messages = "\x00messages" // in World.room

// network says how many messages there may be, how many processes hold some, and what they hear.
func (w World[P]) network() (most, held int, on []reflect.Type) {
	talks := false
	for _, r := range w.Table.Rules {
		on = append(on, r.msg)
		talks = talks || r.on
	}
	if w.Unsynced {
		held = len(w.Peers)
	}
	if !talks {
		return 0, 0, on
	}
	return w.MessagesMax, held, on
}

func words64(vec *vector, n int) []uint64 {
	k := (n + 63) / 64
	p, _ := vec.place(uintptr(k)*8, 8)
	return unsafe.Slice((*uint64)(p), k)
}

func (n *network) used() bool { return n.max > 0 }

// id is a message's number. A message that no rule can hear has none.
func (n *network) id(m Message) (int, bool) {
	t := reflect.TypeOf(m.Body)
	k, ok := n.known[t]
	if !ok {
		k = len(n.heard)
		n.known[t] = k
		var by []int
		for i, on := range n.on {
			if on != nil && t.AssignableTo(on) {
				by = append(by, i)
			}
		}
		n.heard, n.plans = append(n.heard, by), append(n.plans, nil)
		if len(by) > 0 {
			n.plans[k] = planOf(t, 0)
		}
	}
	if len(n.heard[k]) == 0 {
		return 0, false
	}
	b := append(n.buf[:0], byte(k))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.From))
	b = binary.LittleEndian.AppendUint32(b, uint32(m.To))
	b = putBody(b, n.plans[k], m.Body)
	n.buf = b
	id, ok := n.ids[string(b)]
	if !ok {
		if id = len(n.msgs); id >= n.max && n.max < n.most {
			panic(tooSmall{messages, n.max})
		} else if id >= n.max {
			panic(fmt.Sprintf("rule: more than %d different messages: raise MessagesMax or tighten Bound", n.max))
		}
		n.ids[string(b)] = id
		n.msgs, n.types = append(n.msgs, m), append(n.types, k)
	}
	return id, true
}

// putBody is the canonical bytes of what an interface holds.
func putBody(b []byte, pl *plan, body any) []byte {
	v := reflect.ValueOf(body)
	p := reflect.New(v.Type())
	p.Elem().Set(v)
	return pl.put(b, p.UnsafePointer())
}

// send implements sink.
func (m *Machine[P]) send(msg Message, early bool) {
	if !m.net.used() || msg.Body == nil || msg.To != All && !slices.Contains(m.world.Peers, msg.To) {
		return // nobody in this world hears it
	}
	if m.proc < len(m.procs) {
		msg.From = m.world.Peers[m.proc]
	}
	id, ok := m.net.id(msg)
	if !ok {
		return
	}
	into := m.net.bag
	if m.world.Unsynced && !early {
		into = m.net.held[m.proc]
	}
	into[id>>6] |= 1 << (id & 63)
}

// broken implements sink.
func (m *Machine[P]) broken(what string) {
	m.err = fmt.Errorf("%s: %s", m.world.Peers[m.proc], what)
}

// hears makes the steps in which somebody hears something.
func (m *Machine[P]) hears(visit func(uint32) bool) bool {
	for w := range m.net.bag {
		for b := m.net.bag[w]; b != 0; b &= b - 1 {
			id := w<<6 | bits.TrailingZeros64(b)
			msg := m.net.msgs[id]
			for pi, self := range m.world.Peers {
				if (msg.To == self || msg.To == All && msg.From != self) && m.hear(pi, id, false) && !m.step(label(pi, doHear, id), visit) {
					return false
				}
			}
		}
	}
	return true
}

// hear gives message id to a process; if not really, it says whether any rule would take it.
func (m *Machine[P]) hear(pi, id int, really bool) (taken bool) {
	p, msg := &m.procs[pi], &m.net.msgs[id]
	m.proc, m.tx.from = pi, msg.From
	for _, ri := range m.net.heard[m.net.types[id]] {
		c := &p.rules[ri]
		m.rule = ri
		if ri == m.drop || m.probe.seen != nil {
			m.look(ri)
		}
		ok := c.hear(&m.tx, p.p, msg.Body)
		m.tx.probe = nil
		if !ok {
			continue
		}
		if !really {
			return true
		}
		taken = true
		m.fired[ri]++
		r := &m.world.Table.Rules[ri]
		m.require(r, p.p)
		c.take(&m.tx, p.p, msg.Body)
		m.ensure(r, p.p)
		if !r.keep {
			break
		}
	}
	return taken
}

// heardBy names the rules that would take message id in the current state.
func (m *Machine[P]) heardBy(pi, id int) string {
	was := m.src
	m.src = append([]uint64(nil), m.vec.state()...)
	var names []string
	p, msg := &m.procs[pi], &m.net.msgs[id]
	m.proc, m.tx.from = pi, msg.From
	for _, ri := range m.net.heard[m.net.types[id]] {
		if ri == m.drop {
			m.look(ri)
		}
		ok := p.rules[ri].hear(&m.tx, p.p, msg.Body)
		m.tx.probe = nil
		if ok {
			names = append(names, m.world.Table.Rules[ri].name)
			p.rules[ri].take(&m.tx, p.p, msg.Body)
			if !m.world.Table.Rules[ri].keep {
				break
			}
		}
	}
	copy(m.vec.words, m.src)
	m.src = was
	return strings.Join(names, ", ")
}

// shadow gives every durable cell a second place: what is on the disk.
func (m *Machine[P]) shadow() {
	if len(m.vec.pools) > 0 {
		panic("rule: Unsynced with a Pool is not explored: facts are said by Send, which waits")
	}
	for _, p := range m.procs {
		for _, c := range p.space.cells {
			if h := c.header(); h.kind == durable {
				_, h.shadow = m.vec.place(h.size, 8)
				copy(m.vec.bytes(h.shadow, h.size), m.vec.bytes(h.off, h.size))
			}
		}
		for _, l := range p.space.logs {
			at, _ := m.vec.place(4, 4)
			l.stored((*uint32)(at))
		}
	}
}

// unsynced reports whether a process has something that is not on the disk, or holds messages.
func (m *Machine[P]) unsynced(pi int) bool {
	if m.net.used() {
		for _, w := range m.net.held[pi] {
			if w != 0 {
				return true
			}
		}
	}
	for _, c := range m.procs[pi].space.cells {
		h := c.header()
		if h.kind == durable && string(m.vec.bytes(h.shadow, h.size)) != string(m.vec.bytes(h.off, h.size)) {
			return true
		}
	}
	return false
}

func (m *Machine[P]) syncs(pi int) {
	for _, c := range m.procs[pi].space.cells {
		if h := c.header(); h.kind == durable {
			copy(m.vec.bytes(h.shadow, h.size), m.vec.bytes(h.off, h.size))
		}
	}
	for _, l := range m.procs[pi].space.logs {
		l.stored(nil)
	}
	if m.net.used() {
		for w, x := range m.net.held[pi] {
			m.net.bag[w] |= x
			m.net.held[pi][w] = 0
		}
	}
}

func (m *Machine[P]) crashes(pi int) {
	*m.crash++
	for _, c := range m.procs[pi].space.cells {
		h := c.header()
		switch {
		case h.kind != durable:
			copy(m.vec.bytes(h.off, h.size), unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&m.first[0]), h.off)), h.size))
		case m.world.Unsynced:
			copy(m.vec.bytes(h.off, h.size), m.vec.bytes(h.shadow, h.size))
		}
	}
	for _, l := range m.procs[pi].space.logs {
		l.stored(nil)
	}
	if m.world.Unsynced && m.net.used() {
		clear(m.net.held[pi])
	}
}
