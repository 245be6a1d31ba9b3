package rule

import (
	"fmt"
	"unsafe"
)

// dense is a pool in a state vector, shared by all processes: a byte for each slot and author, which is the number of
// what was said. Slots and values get their numbers when they are first met.
type dense[S, V comparable] struct {
	name    string
	cells   []byte // slot by slot, then by author
	off     uintptr
	authors int
	faulty  []bool
	slots   []S
	vals    []V
}

const denseVals = 250

// denseFor gives all processes the pool of one name.
func denseFor[S, V comparable](vec *vector, name string, l Limits[S]) *dense[S, V] {
	if d, ok := vec.pools[name].(*dense[S, V]); ok {
		return d
	}
	d := &dense[S, V]{name: name, authors: l.Authors, faulty: make([]bool, l.Authors)}
	for _, f := range vec.faulty {
		d.faulty[f] = true
	}
	n := uintptr(max(roomMin, vec.room[name]) * l.Authors)
	var p unsafe.Pointer
	p, d.off = vec.place(n, 8)
	d.cells = unsafe.Slice((*byte)(p), n)
	vec.pools[name] = d
	return d
}

func (d *dense[S, V]) slot(s S) int {
	for i := range d.slots {
		if d.slots[i] == s {
			return i
		}
	}
	if (len(d.slots)+1)*d.authors > len(d.cells) {
		panic(tooSmall{d.name, len(d.slots)})
	}
	d.slots = append(d.slots, s)
	return len(d.slots) - 1
}

func (d *dense[S, V]) row(tx *Tx, s S) []byte {
	i := d.slot(s) * d.authors
	if tx.before != nil {
		return unsafe.Slice((*byte)(unsafe.Add(tx.before, d.off)), len(d.cells))[i : i+d.authors]
	}
	return d.cells[i : i+d.authors]
}

func (d *dense[S, V]) get(tx *Tx, author Peer, s S) (v V, ok bool) {
	if b := d.row(tx, s)[author]; b != 0 {
		return d.vals[b-1], true
	}
	return v, false
}

// number is a value's, or 0 if nobody has said it.
func (d *dense[S, V]) number(v V) byte {
	for i := range d.vals {
		if d.vals[i] == v {
			return byte(i + 1)
		}
	}
	return 0
}

func (d *dense[S, V]) put(author Peer, s S, v V) {
	n := d.number(v)
	if n == 0 {
		if len(d.vals) == denseVals {
			panic(fmt.Sprintf("rule: exploration meets more than %d values in a pool", denseVals))
		}
		d.vals = append(d.vals, v)
		n = byte(len(d.vals))
	}
	d.cells[d.slot(s)*d.authors+int(author)] = n
}

// has reports whether author says v. The faulty say everything.
func (d *dense[S, V]) has(tx *Tx, author Peer, s S, v V) bool {
	got, ok := d.get(tx, author, s)
	return d.faulty[author] || ok && got == v
}

func (d *dense[S, V]) spoke(tx *Tx, author Peer, s S) bool {
	return d.faulty[author] || d.row(tx, s)[author] != 0
}

func (d *dense[S, V]) weight(tx *Tx, p *Pool[S, V], s S, v V) (sum uint64) {
	want := d.number(v)
	for a, b := range d.row(tx, s) {
		if b != 0 && b == want || d.faulty[a] {
			sum += p.weight(Peer(a), s)
		}
	}
	return sum
}

// show lists what an author has said, by slot.
func (d *dense[S, V]) show(author Peer) string {
	out := ""
	if int(author) >= d.authors {
		return ""
	}
	for _, s := range d.slots {
		if v, ok := d.get(&Tx{}, author, s); ok {
			out += fmt.Sprintf("%v:%v ", s, v)
		}
	}
	return out
}
