package rule

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"

	"github.com/synodkit/synod/store"
)

// ErrIdentity is why a module refuses to start from a store: its records are another cluster's, another process's or
// another version's, or not what this table writes. The error that wraps it says which.
var ErrIdentity = errors.New("rule: the store holds another protocol's state")

func alien(table, what string) error { return fmt.Errorf("%w: %s: %s", ErrIdentity, table, what) }

const formatVersion = 1

// delta is what a turn changes on the disk.
type delta struct {
	batch  *store.Batch
	prefix []byte
	buf    []byte
	kbuf   []byte
}

func (d *delta) open() {
	if d.batch == nil {
		d.batch = new(store.Batch)
	}
}

// key is prefix, the cell's name, a zero, and what the cell adds.
func (d *delta) key(name string, rest []byte) []byte {
	d.kbuf = append(append(append(append(d.kbuf[:0], d.prefix...), name...), 0), rest...)
	return d.kbuf
}

// scratch is where a value may be made for put.
func (d *delta) scratch() []byte { return d.buf[:0] }

func (d *delta) put(name string, rest, value []byte) {
	d.batch.Put(d.key(name, rest), value)
	d.buf = value[:0]
}

func (d *delta) drop(name string, rest []byte) { d.batch.Delete(d.key(name, rest)) }

// past is what the store has.
type past struct{ cells map[string][]record }

type record struct{ key, value []byte }

// one is the record of a cell that has one.
func (p *past) one(name string) ([]byte, bool) {
	for _, r := range p.cells[name] {
		if len(r.key) == 0 {
			return r.value, true
		}
	}
	return nil, false
}

// many are the others, in order of their keys.
func (p *past) many(name string) []record {
	rs := p.cells[name]
	if len(rs) > 0 && len(rs[0].key) == 0 {
		return rs[1:]
	}
	return rs
}

// prefix is where a table's records stand. No table's prefix is the beginning of another's.
func prefix(name string) []byte { return append([]byte("rule/"+name), 0) }

func prefixEnd(p []byte) []byte {
	end := bytes.Clone(p)
	end[len(end)-1]++
	return end
}

// identity is the record at the bare prefix.
func identity(s *Space, name string, version int, cluster []byte) []byte {
	h := fnv.New64a()
	for _, c := range s.cells {
		if m := c.header(); m.kind == durable {
			fmt.Fprintf(h, "%s %s\n", m.name, c.(saver).schema())
		}
	}
	b := binary.LittleEndian.AppendUint32(nil, formatVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(version))
	b = binary.LittleEndian.AppendUint32(b, uint32(s.self))
	b = binary.LittleEndian.AppendUint64(b, h.Sum64())
	return append(b, cluster...)
}

// differ says what two identities differ in.
func differ(want, got []byte) string {
	const format, version, self, schema, cluster = 0, 4, 8, 12, 20
	if len(got) < cluster {
		return "its identity is unreadable"
	}
	number := func(b []byte, at int) uint32 { return binary.LittleEndian.Uint32(b[at:]) }
	switch {
	case number(want, format) != number(got, format):
		return fmt.Sprintf("its format is %d, not %d", number(got, format), number(want, format))
	case !bytes.Equal(want[cluster:], got[cluster:]):
		return fmt.Sprintf("its cluster is %x, not %x", got[cluster:], want[cluster:])
	case number(want, self) != number(got, self):
		return fmt.Sprintf("it is of %s, not of %s", Peer(number(got, self)), Peer(number(want, self)))
	case number(want, version) != number(got, version):
		return fmt.Sprintf("its version is %d, not %d", number(got, version), number(want, version))
	}
	return "its Vars have other names or types"
}

// restore reads the state of an instance into s, or marks the store as its own.
func restore(ctx context.Context, st store.Store, s *Space, name string, want []byte) error {
	p := prefix(name)
	rest := &past{cells: map[string][]record{}}
	var got []byte
	for e, err := range st.Scan(p, prefixEnd(p)) {
		if err != nil {
			return fmt.Errorf("rule: reading the state of %s: %w", name, err)
		}
		k := e.Key[len(p):]
		if len(k) == 0 {
			got = e.Value
			continue
		}
		cell, key, ok := bytes.Cut(k, []byte{0})
		if !ok {
			return alien(name, fmt.Sprintf("a record at %x", e.Key))
		}
		rest.cells[string(cell)] = append(rest.cells[string(cell)], record{key, e.Value})
	}
	if got == nil {
		if len(rest.cells) > 0 {
			return alien(name, "its identity is missing")
		}
		return sign(ctx, st, p, want)
	}
	if !bytes.Equal(want, got) {
		return alien(name, differ(want, got))
	}
	known := map[string]bool{}
	for _, c := range s.cells {
		m := c.header()
		if m.kind != durable {
			continue
		}
		if known[m.name] = true; !c.(saver).load(rest) {
			return alien(name, "the records of "+m.name+" are unreadable")
		}
	}
	for n := range rest.cells {
		if !known[n] {
			return alien(name, "it has records of "+n)
		}
	}
	return nil
}

func sign(ctx context.Context, st store.Store, key, id []byte) error {
	b := new(store.Batch)
	b.Put(key, id)
	if err := durably(ctx, st, b); err != nil {
		return fmt.Errorf("rule: marking the store: %w", err)
	}
	return nil
}

// Forget deletes what an instance of the table has stored, when its epoch is over. It must not be running. If it was cut
// short, do it again: until then Open refuses what is left.
func (t Table[P]) Forget(ctx context.Context, st store.Store) error {
	p := prefix(t.Name)
	for again := true; again; {
		again = false
		b := new(store.Batch)
		for e, err := range st.Scan(p, prefixEnd(p)) {
			if err != nil {
				return fmt.Errorf("rule: forgetting %s: %w", t.Name, err)
			}
			if again = b.Len() == forgetMax; again {
				break
			}
			b.Delete(e.Key)
		}
		if err := durably(ctx, st, b); err != nil {
			return fmt.Errorf("rule: forgetting %s: %w", t.Name, err)
		}
	}
	return nil
}

const forgetMax = 10_000 // records in one batch

func durably(ctx context.Context, st store.Store, b *store.Batch) error {
	t, err := st.Apply(ctx, b, store.Durable)
	if err == nil {
		err = t.Wait(ctx)
	}
	return err
}
