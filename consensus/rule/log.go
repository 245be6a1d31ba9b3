package rule

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unsafe"
)

// Log is a durable sequence of entries by consecutive indices from 1. What a turn appends is written, not the whole.
// Slices that From returns share memory with the Log and stay what they are: appending never writes into them, and
// truncating leaves them alone.
type Log[E any] struct {
	mark
	cur    body[E]
	plan   *plan
	synced uint64   // known to be durable
	keep   uint64   // entries up to here are what they were before this turn
	chunks []uint64 // indices of the records in the store
	was    struct { // before this turn
		body[E]
		synced uint64
	}
	// in a state vector
	id    *uint32
	table *interned[body[E]]
	upto  *uint32 // synced; nil: always all
}

// body is a Log's value.
type body[E any] struct {
	Base uint64 // entries up to here are compacted away
	Ents []E
}

func (b body[E]) last() uint64 { return b.Base + uint64(len(b.Ents)) }

// logged is a Log whatever its entries.
type logged interface {
	end() uint64
	kept() uint64
	sync(upto uint64) (bit uint64)
	stored(at *uint32) // in a state vector: all is on the disk; at, if not nil, is where that is noted
}

// NewLog declares a log.
func NewLog[E any](s *Space, name string) *Log[E] {
	l := &Log[E]{plan: planFor[E]()}
	if l.plan.size == 0 {
		panic("rule: " + name + ": a log of nothing")
	}
	s.add(l, name, durable)
	s.logs = append(s.logs, l)
	if s.vec != nil {
		l.table = tableFor[body[E]](s.vec, planFor[body[E]]())
		l.size = 4
		var p unsafe.Pointer
		p, l.off = s.vec.place(4, 4)
		l.id = (*uint32)(p)
		*l.id = l.table.id(&body[E]{})
	}
	return l
}

func (l *Log[E]) get(tx *Tx) body[E] {
	tx.reads |= l.bit
	switch {
	case l.id == nil:
		return l.cur
	case tx.before != nil:
		return l.table.vals[*(*uint32)(unsafe.Add(tx.before, l.off))]
	}
	return l.table.vals[*l.id]
}

func (l *Log[E]) set(tx *Tx, b body[E]) {
	if l.touch(tx, l) {
		l.was.body, l.was.synced, l.keep = l.cur, l.synced, l.cur.last()
	}
	if l.id != nil {
		l.intern(b)
		return
	}
	l.cur = b
}

// intern is apart because it moves its argument to the heap.
//
//go:noinline
func (l *Log[E]) intern(b body[E]) { *l.id = l.table.id(&b) }

// Last is the index of the last entry; Base if there is none.
func (l *Log[E]) Last(tx *Tx) uint64 { return l.get(tx).last() }

// Base is the index of the last entry that was compacted away; 0 at first.
func (l *Log[E]) Base(tx *Tx) uint64 { return l.get(tx).Base }

// At is the entry at index i, if the log has it.
func (l *Log[E]) At(tx *Tx, i uint64) (e E, ok bool) {
	b := l.get(tx)
	if i <= b.Base || i > b.last() {
		return e, false
	}
	return b.Ents[i-b.Base-1], true
}

// From is up to n entries from index i on: none if the log does not have i.
func (l *Log[E]) From(tx *Tx, i, n uint64) []E {
	b := l.get(tx)
	if i <= b.Base || i > b.last() {
		return nil
	}
	from := i - b.Base - 1
	to := from + min(n, b.last()-i+1)
	return b.Ents[from:to:to]
}

// Append adds entries at the end.
func (l *Log[E]) Append(tx *Tx, es ...E) {
	if len(es) == 0 {
		return
	}
	b := l.get(tx)
	if l.id != nil {
		b.Ents = slices.Concat(b.Ents, es)
	} else {
		b.Ents = append(b.Ents, es...)
	}
	l.set(tx, b)
}

// Truncate drops the entries after index last.
func (l *Log[E]) Truncate(tx *Tx, last uint64) {
	b := l.get(tx)
	if last >= b.last() {
		return
	}
	last = max(last, b.Base)
	n := last - b.Base
	l.set(tx, body[E]{b.Base, b.Ents[:n:n]}) // the next Append copies: what others hold stays as it is
	l.cut(tx, last)
}

// cut notes that entries after last are no more what they were.
func (l *Log[E]) cut(tx *Tx, last uint64) {
	tx.writes |= l.bit
	l.keep, l.synced = min(l.keep, last), min(l.synced, last)
	if l.upto != nil {
		*l.upto = min(*l.upto, uint32(last))
	}
}

// Compact forgets the entries up to index base. Beyond the end it makes the log empty, with base as its last index: so
// a snapshot is installed.
func (l *Log[E]) Compact(tx *Tx, base uint64) {
	b := l.get(tx)
	switch {
	case base <= b.Base:
	case base > b.last():
		last := b.last()
		l.set(tx, body[E]{Base: base})
		l.cut(tx, last)
	case l.id != nil || int(base-b.Base) >= (cap(b.Ents)+1)/2: // copied now and then, so that the forgotten is let go
		l.set(tx, body[E]{base, slices.Clone(b.Ents[base-b.Base:])})
	default:
		l.set(tx, body[E]{base, b.Ents[base-b.Base:]})
	}
}

// Synced is the index up to which the log is durable and known to be: Last, unless turns wait for the disk. It may lag,
// and goes back only when entries are cut off. For rules that use Tx.Early.
func (l *Log[E]) Synced(tx *Tx) uint64 {
	tx.reads |= l.bit
	switch {
	case l.id == nil:
		return l.synced
	case l.upto != nil:
		return min(uint64(*l.upto), l.get(tx).last())
	}
	return l.get(tx).last()
}

func (l *Log[E]) end() uint64  { return l.cur.last() }
func (l *Log[E]) kept() uint64 { return l.keep }

func (l *Log[E]) sync(upto uint64) uint64 {
	if upto <= l.synced {
		return 0
	}
	l.synced = upto
	return l.bit
}

func (l *Log[E]) stored(at *uint32) {
	if at != nil {
		l.upto = at
	}
	if l.upto != nil {
		*l.upto = uint32(l.table.vals[*l.id].last())
	}
}

func (l *Log[E]) undo() { l.cur, l.synced = l.was.body, l.was.synced }

func (l *Log[E]) clean() {
	l.dirty, l.keep = false, l.cur.last()
	l.was.Ents = nil
}

func (l *Log[E]) show() string {
	b := l.cur
	if l.id != nil {
		b = l.table.vals[*l.id]
	}
	return fmt.Sprintf("%d%v", b.Base, b.Ents)
}

func (l *Log[E]) schema() string { return "log " + l.plan.sig }

// In the store a log is records, each of consecutive entries at the index of its first, in order and without gaps; and
// the base, without which it is 0. The first record may begin at or before the base.

// save writes what is new as one record. A record that is cut in its middle is written again with what is new.
func (l *Log[E]) save(w *delta) {
	base, kept := l.cur.Base, min(l.keep, l.cur.last()) // entries up to kept are in records
	for n := len(l.chunks); n > 0 && l.chunks[n-1] > kept; n-- {
		l.unwrite(w, n-1)
	}
	if n := len(l.chunks); n > 0 && kept < l.was.last() {
		first := l.chunks[n-1]
		if kept = max(first-1, base); first <= base {
			l.unwrite(w, n-1)
		}
	}
	if base != l.was.Base {
		w.put(l.name, nil, index(base))
		for len(l.chunks) > 1 && l.chunks[1] <= base+1 || len(l.chunks) == 1 && kept <= base {
			l.unwrite(w, 0)
		}
	}
	from := max(kept, base)
	if from == l.cur.last() {
		return
	}
	b := w.scratch()
	for i := from - base; i < uint64(len(l.cur.Ents)); i++ {
		b = l.plan.put(b, unsafe.Pointer(&l.cur.Ents[i]))
	}
	w.put(l.name, index(from+1), b)
	if n := len(l.chunks); n == 0 || l.chunks[n-1] != from+1 {
		l.chunks = append(l.chunks, from+1)
	}
}

func (l *Log[E]) unwrite(w *delta, n int) {
	w.drop(l.name, index(l.chunks[n]))
	l.chunks = slices.Delete(l.chunks, n, n+1)
}

func index(i uint64) []byte { return binary.BigEndian.AppendUint64(nil, i) }

func (l *Log[E]) load(r *past) bool {
	if b, ok := r.one(l.name); ok {
		if len(b) != 8 {
			return false
		}
		l.cur.Base = binary.BigEndian.Uint64(b)
	}
	next := uint64(0) // of the first record: anything up to the base's successor
	for _, rec := range r.many(l.name) {
		if len(rec.key) != 8 {
			return false
		}
		i := binary.BigEndian.Uint64(rec.key)
		if i == 0 || next == 0 && i > l.cur.Base+1 || next != 0 && i != next {
			return false
		}
		l.chunks = append(l.chunks, i)
		next = i
		for b := rec.value; len(b) > 0; next++ {
			var e E
			rest, ok := l.plan.take(b, unsafe.Pointer(&e))
			if !ok || len(rest) == len(b) {
				return false
			}
			if b = rest; next > l.cur.Base {
				l.cur.Ents = append(l.cur.Ents, e)
			}
		}
		if next <= l.cur.Base+1 { // a record that has nothing to say is not written
			return false
		}
	}
	l.synced, l.keep = l.cur.last(), l.cur.last()
	return true
}
