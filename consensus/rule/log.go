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
	cur, old body[E]
	plan     *plan
	synced   uint64
	syncBit  uint64
	chunks   []uint64 // first index of each record in the store
	keep     uint64   // entries up to here are as in the store; what is above is to be written
	// in a state vector
	id    *uint32
	table *interned[body[E]]
	upto  *uint32 // synced
}

// body is a Log's value.
type body[E any] struct {
	Base uint64 // entries up to here are compacted away
	Ents []E
}

func (b body[E]) last() uint64 { return b.Base + uint64(len(b.Ents)) }

// NewLog declares a log.
func NewLog[E any](s *Space, name string) *Log[E] {
	l := &Log[E]{plan: planFor[E]()}
	s.add(l, name, durable)
	s.logs = append(s.logs, l)
	l.syncBit = l.bit
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
	if l.id == nil {
		return l.cur
	}
	if tx.before != nil {
		return l.table.vals[*(*uint32)(unsafe.Add(unsafe.Pointer(&tx.before[0]), l.off))]
	}
	return l.table.vals[*l.id]
}

func (l *Log[E]) set(tx *Tx, b body[E]) {
	if l.touch(tx, l) {
		l.old, l.keep = l.cur, l.cur.last()
	}
	if l.id != nil {
		*l.id = l.table.id(&b)
		return
	}
	l.cur = b
}

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
	if l.upto != nil {
		*l.upto = min(*l.upto, uint32(last))
	}
	l.keep = min(l.keep, last)
	l.synced = min(l.synced, last)
}

// Compact forgets the entries up to index base. Beyond the end it makes the log empty with base as its last index, as
// the installation of a snapshot does.
func (l *Log[E]) Compact(tx *Tx, base uint64) {
	b := l.get(tx)
	if base <= b.Base {
		return
	}
	if base >= b.last() {
		l.set(tx, body[E]{Base: base})
		return
	}
	rest := b.Ents[base-b.Base:]
	if l.id != nil || cap(rest) < len(b.Ents) { // copied now and then, so that forgotten entries are let go
		rest = append(make([]E, 0, len(rest)+len(rest)/4), rest...)
	}
	l.set(tx, body[E]{base, rest})
}

// Synced is the index up to which the log is durable: Last, unless rules use Tx.Early.
func (l *Log[E]) Synced(tx *Tx) uint64 {
	tx.reads |= l.syncBit
	if l.id != nil {
		if l.upto != nil {
			return min(uint64(*l.upto), l.get(tx).last())
		}
		return l.get(tx).last()
	}
	return l.synced
}

// logged is a log whatever its entries.
type logged interface {
	end() uint64
	sync(upto uint64) (bit uint64)
	stored(at *uint32) // in a state vector: all is on the disk; at, if not nil, is where that is noted
}

func (l *Log[E]) stored(at *uint32) {
	if at != nil {
		l.upto = at
	}
	if l.upto != nil {
		*l.upto = uint32(l.table.vals[*l.id].last())
	}
}

func (l *Log[E]) end() uint64 { return l.cur.last() }

func (l *Log[E]) sync(upto uint64) uint64 {
	if upto <= l.synced {
		return 0
	}
	l.synced = upto
	return l.syncBit
}

func (l *Log[E]) undo() { l.cur = l.old }

func (l *Log[E]) clean() { l.old, l.dirty = body[E]{}, false }

// save writes the entries that are new as one record, at the index of its first entry. A record that a truncation cuts
// is written again.
func (l *Log[E]) save(w *delta) {
	for len(l.chunks) > 0 && l.chunks[len(l.chunks)-1] > l.keep {
		w.drop(l.name, l.key(l.chunks[len(l.chunks)-1]))
		l.chunks = l.chunks[:len(l.chunks)-1]
	}
	if base := l.cur.Base; base != l.old.Base {
		w.put(l.name, nil, binary.BigEndian.AppendUint64(w.scratch(), base))
		n := 0
		for n+1 < len(l.chunks) && l.chunks[n+1] <= base+1 || n < len(l.chunks) && len(l.cur.Ents) == 0 {
			w.drop(l.name, l.key(l.chunks[n]))
			n++
		}
		l.chunks = slices.Delete(l.chunks, 0, n)
	}
	if cut := len(l.chunks) > 0 && l.keep < l.old.last(); cut {
		l.keep = max(l.chunks[len(l.chunks)-1], l.cur.Base+1) - 1
		if first := l.chunks[len(l.chunks)-1]; first <= l.keep { // it begins before the base
			w.drop(l.name, l.key(first))
			l.chunks = l.chunks[:len(l.chunks)-1]
		}
	}
	from := max(l.keep, l.cur.Base)
	if from >= l.cur.last() {
		return
	}
	b := w.scratch()
	for i := from - l.cur.Base; i < uint64(len(l.cur.Ents)); i++ {
		b = l.plan.put(b, unsafe.Pointer(&l.cur.Ents[i]))
	}
	w.put(l.name, l.key(from+1), b)
	if n := len(l.chunks); n == 0 || l.chunks[n-1] != from+1 {
		l.chunks = append(l.chunks, from+1)
	}
}

func (l *Log[E]) key(i uint64) []byte { return binary.BigEndian.AppendUint64(nil, i) }

func (l *Log[E]) load(r *past) bool {
	if b, ok := r.one(l.name); ok {
		if len(b) != 8 {
			return false
		}
		l.cur.Base = binary.BigEndian.Uint64(b)
	}
	next := uint64(0)
	for _, rec := range r.many(l.name) {
		if len(rec.key) != 8 {
			return false
		}
		i := binary.BigEndian.Uint64(rec.key)
		if next == 0 && i <= l.cur.Base+1 {
			next = i
		}
		if i != next || i == 0 {
			return false
		}
		l.chunks = append(l.chunks, i)
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
	}
	l.synced = l.cur.last()
	return true
}

func (l *Log[E]) schema() string { return "log " + l.plan.sig }

func (l *Log[E]) show() string {
	b := l.cur
	if l.id != nil {
		b = l.table.vals[*l.id]
	}
	return fmt.Sprintf("%d%v", b.Base, b.Ents)
}
