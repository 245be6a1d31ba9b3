package stm

import (
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/synodkit/synod/internal/seam"
)

// The lock word of a Var: a version, a flag below it and two above, so that one comparison with the end of a snapshot
// also sees that the word is free.
const (
	waitBit   = 1       // somebody may be in the list of waiters
	tick      = 2       // one version
	serialBit = 1 << 62 // reserved by the serial transaction: read as you like, commit only after it
	lockBit   = 1 << 63 // a committer is about to publish a new value
)

// core is the untyped part of a Var, 48 bytes.
type core struct {
	lock  atomic.Uint64
	word  atomic.Uint64
	ptr   unsafe.Pointer // accessed atomically
	kind  kind
	extra atomic.Pointer[extra]
	owner atomic.Uint64 // world number << 32 | id in that world; 0: no simulation has touched it
}

// extra is what only some Vars need.
type extra struct {
	mu          sync.Mutex // guards the list
	first, last *node
	label       atomic.Pointer[string]
	kept        atomic.Pointer[kept]
}

func (c *core) more() *extra {
	if x := c.extra.Load(); x != nil {
		return x
	}
	x := new(extra)
	if c.extra.CompareAndSwap(nil, x) {
		return x
	}
	return c.extra.Load()
}

func (c *core) value() (uint64, unsafe.Pointer) { return c.word.Load(), atomic.LoadPointer(&c.ptr) }

// publish stores a new value. The caller holds the lock, or nobody else knows c.
func (c *core) publish(w uint64, p unsafe.Pointer) {
	if c.kind == kindWord {
		c.word.Store(w)
	} else {
		atomic.StorePointer(&c.ptr, p)
	}
}

// latest is the last committed value, outside any transaction.
func (c *core) latest() (uint64, unsafe.Pointer) {
	for spin := 0; ; spin++ {
		l := c.lock.Load()
		if l < lockBit {
			w, p := c.value()
			if (c.lock.Load()^l)&^(serialBit|waitBit) == 0 {
				return w, p
			}
		}
		pause(spin)
	}
}

// pause waits for a committer, which has a lock for less than a microsecond, unless it has lost its processor.
func pause(spin int) {
	if spin > 40 {
		runtime.Gosched()
	}
}

// id is c's number in world w, given at the first step that touches it. Numbers follow the steps, so they are the same
// in every run of a seed.
func (c *core) id(w seam.World) uint32 {
	o := c.owner.Load()
	if uint32(o>>32) == w.Num() {
		return uint32(o)
	}
	if o != 0 && seam.Alive(uint32(o>>32)) {
		panic("stm: Var " + c.name() + " belongs to another running simulation")
	}
	id := w.FirstTouch()
	c.owner.Store(uint64(w.Num())<<32 | uint64(id))
	return id
}

// born numbers a Var that a task of a world that explores has made: there, ids must not depend on who touches it first.
//
//go:noinline
func (c *core) born() {
	if w := seam.Exploring(); w != nil {
		c.owner.Store(uint64(w.Num())<<32 | uint64(w.NewID()))
	}
}

func (c *core) label() string {
	if x := c.extra.Load(); x != nil {
		if s := x.label.Load(); s != nil {
			return *s
		}
	}
	return ""
}

func (c *core) name() string {
	if s := c.label(); s != "" {
		return s
	}
	return "(unlabelled)"
}
