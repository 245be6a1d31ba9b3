package rule

import (
	"fmt"
	"strings"
	"unsafe"
)

// Peer names a process: a member of the protocol, and the author of facts. All and Host are not members.
type Peer uint32

// Destinations that are no member.
const (
	All  Peer = 1<<32 - 1 // everyone but the sender
	Host Peer = 1<<32 - 2 // whoever runs the module: decisions, requests for work, evidence
)

// String is the peer's number, or the name of a destination.
func (p Peer) String() string {
	switch p {
	case All:
		return "all"
	case Host:
		return "host"
	}
	return fmt.Sprintf("p%d", uint32(p))
}

// Space is where one instance of a protocol declares its state: Vars, Logs, Timers and Pools. Table.New is given one.
type Space struct {
	self   Peer
	vec    *vector // nil in production
	cells  []cell
	names  map[string]bool
	dirty  []cell // written in this turn, in order
	timers []*Timer
	hears  []hearer // pools, which take facts from the inbox
	logs   []logged
	sealed bool
}

// Self is the process whose state this is.
func (s *Space) Self() Peer { return s.self }

// kind says what a crash leaves of a cell.
type kind uint8

const (
	volatile kind = iota
	durable
	output
)

func (k kind) String() string { return [...]string{"volatile", "durable", "output"}[k] }

// cell is one piece of state.
type cell interface {
	header() *mark
	undo()  // the turn did not happen
	clean() // the turn is over
	show() string
}

// saver is a cell that is durable.
type saver interface {
	cell
	save(w *delta)     // what the turn changed, for the store
	load(r *past) bool // what the store has; false: not of this table
	schema() string
}

// mark is what every cell has.
type mark struct {
	sp    *Space
	name  string
	kind  kind
	bit   uint64 // of the masks by which guards are re-evaluated
	dirty bool
	// in a state vector
	off, size, shadow uintptr
}

func (m *mark) header() *mark { return m }

// touch notes that a cell is written, and reports whether it is for the first time in this turn.
func (m *mark) touch(tx *Tx, c cell) bool {
	tx.writes |= m.bit
	if m.dirty || m.sp.vec != nil {
		return false
	}
	m.dirty = true
	m.sp.dirty = append(m.sp.dirty, c)
	return true
}

// The last cell bit is shared by all cells beyond, which costs evaluations, not correctness. One bit more stands for
// what is read of other modules, which may have changed at every turn.
const (
	cellBits = 63
	outerBit = uint64(1) << cellBits
)

func (s *Space) add(c cell, name string, k kind) {
	m := c.header()
	*m = mark{sp: s, name: name, kind: k, bit: 1 << min(len(s.cells), cellBits-1)}
	if s.sealed {
		panic("rule: " + name + " is declared after New has returned")
	}
	if name == "" || s.names[name] || strings.Contains(name, "\x00") {
		panic("rule: two cells of one name, or one without: " + name)
	}
	if s.names == nil {
		s.names = map[string]bool{}
	}
	s.names[name] = true
	s.cells = append(s.cells, c)
}

// rollback makes the turn undone.
func (s *Space) rollback() {
	for _, c := range s.dirty {
		c.undo()
		c.header().dirty = false
	}
	s.dirty = s.dirty[:0]
}

// vector is the memory of a whole world: every process's cells, pools and network side by side, so that a state is
// one string of bytes.
type vector struct {
	words  []uint64 // never moved: cells point into it
	used   uintptr
	pools  map[string]any
	kinds  map[string]any // interned values by type
	faulty []Peer
	room   map[string]int
}

const vectorBytesMax = 1 << 15

func newVector() *vector {
	return &vector{words: make([]uint64, vectorBytesMax/8), pools: map[string]any{}, kinds: map[string]any{}}
}

// place gives room in the vector.
func (v *vector) place(size, align uintptr) (unsafe.Pointer, uintptr) {
	off := (v.used + align - 1) &^ (align - 1)
	if off+size > vectorBytesMax {
		panic(fmt.Sprintf("rule: a state of more than %d bytes", vectorBytesMax))
	}
	v.used = off + size
	return unsafe.Add(unsafe.Pointer(&v.words[0]), off), off
}

// state is the part of the vector that is in use, as words.
func (v *vector) state() []uint64 { return v.words[:(v.used+7)/8] }

func (v *vector) bytes(off, size uintptr) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&v.words[0]), off)), size)
}
