package rule

import (
	"fmt"
	"maps"
	"slices"
	"unsafe"
)

// World is a protocol with everything that surrounds it, small enough to look at all of it: for package explore.
type World[P any] struct {
	Table  Table[P]
	Peers  []Peer      // the correct processes, each an instance of Table
	Faulty []Peer      // authors that have said everything in every pool, which is the worst they can do
	Moves  []Rule[[]P] // what the surroundings may do, by Upon and For: clients, faulty processes; they use Tx.Inject

	Crashes     int  // in all; a crash keeps what is Durable
	Unsynced    bool // a crash may also lose what is not yet synced: for tables that use Early; Outputs then are seen before they are shown
	MessagesMax int  // different messages in all; default 256

	Invariant func(tx *Tx, ps []P) error // must be nil in every state
	Goal      func(tx *Tx, ps []P) bool  // counted; a protocol that never gets there proves nothing
	Bound     func(tx *Tx, ps []P) bool  // states for which it is false are not entered
	StatesMax int                        // give up beyond; default 20 million

	room map[string]int // of pools, in slots, as learnt by Grow
}

// tooSmall is the panic of a vector that has no room for another slot or message.
type tooSmall struct {
	what string
	had  int
}

// Grow gives room to what a machine of this world has panicked for, and reports whether it was that. A search begins
// again then: states are vectors of one length.
func (w *World[P]) Grow(panicked any) bool {
	t, ok := panicked.(tooSmall)
	if ok {
		room := maps.Clone(w.room)
		if room == nil {
			room = map[string]int{}
		}
		room[t.what] = 2 * t.had
		w.room = room
	}
	return ok
}

const roomMin = 8

// Machine is a world's transitions over a state vector, one step at a time: for programs that search, and for those
// that follow somebody else's trace. A network loses, duplicates and reorders: what has been said can be heard at any
// time, any number of times, or never.
type Machine[P any] struct {
	world World[P]
	vec   *vector
	procs []process[P]
	ps    []P
	moves []clause[[]P]
	net   network
	tx    Tx
	was   Tx // reads the state before
	probe probe
	drop  int // a conjunct of this rule is deleted; -1: none
	crash *uint32
	first []uint64
	src   []uint64
	err   error
	proc  int // whose rule runs
	rule  int // which
	fired []int
}

type process[P any] struct {
	p     P
	space *Space
	rules []clause[P]
}

// A label names a transition of the state it leaves: a process (or, beyond them, the surroundings), what it does, and a
// binding or message.
const (
	procShift = 26
	ruleShift = 16
	lowMask   = 1<<ruleShift - 1
	ruleMask  = 1<<(procShift-ruleShift) - 1
	doCrash   = ruleMask - iota
	doSync
	doHear
	rulesMax
)

func label(proc, rule, i int) uint32 { return uint32(proc<<procShift | rule<<ruleShift | i) }

func parts(l uint32) (proc, rule, i int) {
	return int(l >> procShift), int(l >> ruleShift & ruleMask), int(l & lowMask)
}

// Machine builds the world's processes over one state vector.
func (w World[P]) Machine() *Machine[P] {
	if w.MessagesMax == 0 {
		w.MessagesMax = 256
	}
	if len(w.Table.Rules) >= rulesMax || len(w.Peers) == 0 || len(w.Peers) > 32 || w.MessagesMax > lowMask {
		panic("rule: a world has 1 to 32 processes, at most a thousand rules and at most 65,535 messages")
	}
	m := &Machine[P]{world: w, vec: newVector(), drop: -1}
	m.vec.faulty, m.vec.room = w.Faulty, w.room
	for _, self := range w.Peers {
		s := &Space{self: self, vec: m.vec}
		p := process[P]{w.Table.New(s), s, nil}
		s.sealed = true
		for _, r := range w.Table.Rules {
			p.rules = append(p.rules, r.make())
		}
		m.procs, m.ps = append(m.procs, p), append(m.ps, p.p)
	}
	for _, r := range w.Moves {
		m.moves = append(m.moves, r.make())
	}
	m.fired = make([]int, len(w.Table.Rules))
	m.net.init(m.vec, w)
	p, _ := m.vec.place(4, 4)
	m.crash = (*uint32)(p)
	if w.Unsynced {
		m.shadow()
	}
	m.tx.out = m
	m.first = slices.Clone(m.vec.state())
	return m
}

// State is the current state; it is overwritten by the next step.
func (m *Machine[P]) State() []uint64 { return m.vec.state() }

// Load makes state the current one.
func (m *Machine[P]) Load(state []uint64) {
	copy(m.vec.state(), state)
	m.src = state
}

// Processes are the instances, in the order of World.Peers, and a Tx to read them with.
func (m *Machine[P]) Processes() (*Tx, []P) { return &m.tx, m.ps }

// Err is what the last step broke: a contract, or a promise such as to say one thing a slot.
func (m *Machine[P]) Err() error { return m.err }

// Drop deletes a conjunct of a rule.
func (m *Machine[P]) Drop(rule, conjunct string) {
	for i, r := range m.world.Table.Rules {
		if r.name == rule {
			m.drop, m.probe.drop = i, conjunct
		}
	}
}

// Conjuncts makes seen be told of each conjunct that is evaluated. It costs time.
func (m *Machine[P]) Conjuncts(seen func(rule, conjunct string)) {
	m.probe.seen = func(c string) { seen(m.world.Table.Rules[m.drop].name, c) }
}

// Running names the process and rule whose guard or action is running, for the report of a panic.
func (m *Machine[P]) Running() string {
	if m.proc >= len(m.procs) {
		return "a move"
	}
	return words(m.world.Peers[m.proc].String(), m.world.Table.Rules[m.rule].name)
}

// Fired says how often each rule of the table has fired.
func (m *Machine[P]) Fired() map[string]int {
	fired := map[string]int{}
	for i, r := range m.world.Table.Rules {
		fired[r.name] += m.fired[i]
	}
	return fired
}

// Successors makes every step that the current state allows, each from that state, and calls visit after each with
// the new one in State, until visit is false.
func (m *Machine[P]) Successors(visit func(uint32) bool) {
	for pi := range m.procs {
		for ri := range m.world.Table.Rules {
			if !m.world.Table.Rules[ri].on && !m.fires(pi, ri, visit) {
				return
			}
		}
		if int(*m.crash) < m.world.Crashes && !m.step(label(pi, doCrash, 0), visit) {
			return
		}
		if m.world.Unsynced && m.unsynced(pi) && !m.step(label(pi, doSync, 0), visit) {
			return
		}
	}
	if m.net.used() && !m.hears(visit) {
		return
	}
	for ri := range m.moves {
		c := &m.moves[ri]
		m.proc = len(m.procs)
		n := 1
		if c.bind != nil {
			n = c.bind(&m.tx, m.ps)
		}
		for i := range n {
			if c.when(&m.tx, m.ps, i) && !m.step(label(len(m.procs), ri, i), visit) {
				return
			}
		}
	}
}

// fires makes the steps of one rule of one process.
func (m *Machine[P]) fires(pi, ri int, visit func(uint32) bool) bool {
	p := &m.procs[pi]
	c, n := &p.rules[ri], 1
	m.proc, m.rule = pi, ri
	if c.bind != nil {
		n = c.bind(&m.tx, p.p)
	}
	watched := ri == m.drop || m.probe.seen != nil
	for i := range n {
		if watched {
			m.look(ri)
		}
		ok := c.when(&m.tx, p.p, i)
		m.tx.probe = nil
		if ok && !m.step(label(pi, ri, i), visit) {
			return false
		}
	}
	return true
}

// look makes the next guard go through the probe.
func (m *Machine[P]) look(ri int) {
	if m.probe.seen != nil {
		m.drop = ri
	}
	m.tx.probe = &m.probe
}

// step does l, lets visit look, and restores the state.
func (m *Machine[P]) step(l uint32, visit func(uint32) bool) bool {
	m.do(l)
	ok := visit(l)
	copy(m.vec.words, m.src)
	return ok
}

// Do makes the step l, which the current state must allow.
func (m *Machine[P]) Do(l uint32) {
	if pi, ri, _ := parts(l); pi < len(m.procs) && ri < rulesMax {
		if c := &m.procs[pi].rules[ri]; c.bind != nil {
			c.bind(&m.tx, m.ps[pi])
		}
	} else if pi == len(m.procs) && m.moves[ri].bind != nil {
		m.moves[ri].bind(&m.tx, m.ps)
	}
	m.src = slices.Clone(m.vec.state())
	m.do(l)
}

func (m *Machine[P]) do(l uint32) {
	pi, ri, i := parts(l)
	m.err, m.proc, m.tx.armed = nil, pi, false
	switch {
	case pi == len(m.procs):
		m.moves[ri].do(&m.tx, m.ps, i)
	case ri == doCrash:
		m.crashes(pi)
	case ri == doSync:
		m.syncs(pi)
	case ri == doHear:
		m.hear(pi, i, true)
	default:
		r, p := &m.world.Table.Rules[ri], m.ps[pi]
		m.fired[ri]++
		m.require(r, p)
		m.procs[pi].rules[ri].do(&m.tx, p, i)
		m.ensure(r, p)
		if m.err == nil && !m.tx.armed && slices.Equal(m.vec.state(), m.src) {
			m.err = fmt.Errorf("%s changes nothing, so it would fire for ever", r.name)
		}
	}
}

func (m *Machine[P]) require(r *Rule[P], p P) {
	for _, c := range r.pre {
		if !c.ok(&m.tx, &m.tx, p) {
			m.err = fmt.Errorf("%s requires %s", r.name, c.name)
		}
	}
}

func (m *Machine[P]) ensure(r *Rule[P], p P) {
	m.was.before = unsafe.Pointer(&m.src[0])
	for _, c := range r.post {
		if !c.ok(&m.was, &m.tx, p) {
			m.err = fmt.Errorf("%s ensures %s", r.name, c.name)
		}
	}
}

// Tell says in words what step l of the current state is.
func (m *Machine[P]) Tell(l uint32) string {
	pi, ri, i := parts(l)
	if pi == len(m.procs) {
		return words("move", m.world.Moves[ri].name, binding(&m.moves[ri], &m.tx, m.ps, i))
	}
	who := m.world.Peers[pi].String()
	switch ri {
	case doCrash:
		return who + " CRASH"
	case doSync:
		return who + " SYNC"
	case doHear:
		msg := m.net.msgs[i]
		return words(who, m.heardBy(pi, i), fmt.Sprintf("from %s: %T%+v", msg.From, msg.Body, msg.Body))
	}
	return words(who, m.world.Table.Rules[ri].name, binding(&m.procs[pi].rules[ri], &m.tx, m.ps[pi], i))
}

func binding[P any](c *clause[P], tx *Tx, p P, i int) string {
	if c.bind == nil {
		return ""
	}
	c.bind(tx, p)
	return c.show(i)
}

func words(ws ...string) string {
	out := ws[0]
	for _, w := range ws[1:] {
		if w != "" {
			out += " " + w
		}
	}
	return out
}

// Describe lists the state of every process, one line each.
func (m *Machine[P]) Describe() (lines []string) {
	for _, p := range m.procs {
		line := p.space.self.String() + ":"
		for _, c := range p.space.cells {
			if s := c.show(); s != "" {
				line += " " + c.header().name + "=" + s
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// Why says for each binding of a rule about state which conjunct blocks it now; "" for one that holds.
func (m *Machine[P]) Why(self Peer, rule string) (blocked []string) {
	for pi, p := range m.procs {
		for ri, r := range m.world.Table.Rules {
			if m.world.Peers[pi] == self && r.name == rule && !r.on {
				blocked = append(blocked, why(&p.rules[ri], &m.tx, p.p)...)
			}
		}
	}
	return blocked
}

func why[P any](c *clause[P], tx *Tx, p P) (blocked []string) {
	n := 1
	if c.bind != nil {
		n = c.bind(tx, p)
	}
	for i := range n {
		pr := probe{}
		tx.probe = &pr
		if !c.when(tx, p, i) && pr.blocked == "" {
			pr.blocked = "a conjunct without a name"
		}
		tx.probe = nil
		blocked = append(blocked, pr.blocked)
	}
	return blocked
}
