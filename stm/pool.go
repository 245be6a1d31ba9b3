package stm

import (
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// pool recycles transactions. Besides the spare ones there are homes: a goroutine is likely to find the Tx that it has
// used last by the address of its stack. The address is a hint and nothing else. A Tx with a home is taken by a
// compare-and-swap of its busy word, so whoever finds it, from whatever stack, has it alone; and who is not lucky takes
// a spare one.
var pool txPool

type txPool struct {
	homes [256]atomic.Pointer[Tx] // by a hash of the piece of stack
	spare sync.Pool               // of *Tx
	waits sync.Pool               // of *wait
	made  atomic.Uint64
}

const (
	pieceBits = 11 // pieces of stack this large seldom change their goroutine
	spread    = 0x9E3779B97F4A7C15
)

func newTx() *Tx {
	tx := &Tx{normal: running, number: pool.made.Add(1), most: writesInside}
	tx.rs, tx.ws, tx.order = tx.rsBuf[:0], tx.wsBuf[:0], tx.ordBuf[:0]
	return tx
}

// home is where the calling goroutine looks first.
func (p *txPool) home() *atomic.Pointer[Tx] {
	var here byte
	piece := uint64(uintptr(unsafe.Pointer(&here))) >> pieceBits
	return &p.homes[piece*spread>>56]
}

// acquire is a Tx at rest: finished, empty, with nothing of a user's in it.
func acquire() *Tx {
	h := pool.home()
	if tx := h.Load(); tx != nil && tx.busy.CompareAndSwap(0, 1) {
		return tx
	}
	return pool.get(h)
}

// get is a spare Tx. It moves into h if nobody lives there.
//
//go:noinline
func (p *txPool) get(h *atomic.Pointer[Tx]) *Tx {
	if debugging.Load() != nil {
		return debugTx()
	}
	tx, _ := p.spare.Get().(*Tx)
	if tx == nil {
		tx = newTx()
	}
	if h.Load() == nil {
		tx.settled = true
		tx.busy.Store(1)
		h.Store(tx)
		if debugging.Load() != nil {
			h.Store(nil)
		}
	}
	return tx
}

// vacate sends everybody who comes to get, where debugging is looked at.
func (p *txPool) vacate() {
	for i := range p.homes {
		p.homes[i].Store(nil)
	}
}

// release gives tx back, at rest.
func (tx *Tx) release() {
	if tx.used || cap(tx.rs) > keepMost {
		tx.drop()
	}
	tx.restWrites()
	switch {
	case tx.settled:
		tx.rest()
	case tx.extra != nil: // never recycled, so that a use after its end can be told
		tx.restReads()
	default:
		tx.restReads()
		pool.spare.Put(tx)
	}
}

// plain reports whether nothing is left to be done for tx but rest.
func (tx *Tx) plain() bool {
	return !tx.used && len(tx.ws) == 0 && tx.settled && cap(tx.rs) <= keepMost
}

// rest sends tx home. From its last store on tx is somebody else's.
func (tx *Tx) rest() {
	tx.restReads()
	tx.busy.Store(0)
}

func (tx *Tx) restReads() {
	for i := range tx.rs {
		tx.rs[i].c = nil
	}
	tx.fast, tx.snap, tx.room, tx.mode, tx.rs = 0, 0, 0, dead, tx.rs[:0]
}

func (tx *Tx) restWrites() {
	for i := range tx.ws {
		tx.ws[i].c, tx.ws[i].p = nil, nil
	}
	tx.ws, tx.bloom = tx.ws[:0], 0
}

// keepMost is the size up to which buffers are kept for the next transaction.
const keepMost = 2560

// drop forgets what only some runs leave behind.
func (tx *Tx) drop() {
	if cap(tx.rs) > keepMost {
		tx.rs = tx.rsBuf[:0]
	}
	if cap(tx.ws) > keepMost {
		tx.ws, tx.order, tx.index, tx.most = tx.wsBuf[:0], tx.ordBuf[:0], index{}, len(tx.wsBuf)
	}
	clear(tx.undo)
	clear(tx.after)
	tx.undo, tx.after, tx.level = tx.undo[:0], tx.after[:0], 0
	tx.end, tx.hidden, tx.normal, tx.tries, tx.world, tx.loser = finished, 0, running, 0, nil, nil
	tx.now, tx.alarm = time.Time{}, time.Time{}
	tx.used, tx.wrote = false, false
}
