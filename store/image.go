package store

import "iter"

// Image is what a store holds at one moment: an immutable ordered map. A change makes another one, which shares what it leaves alone, so
// one can be kept in a Var and old ones serve as snapshots. The zero Image is empty. For implementations of Store in memory.
type Image struct{ root *node }

// With is the image after some operations, in their order. It keeps their keys and values, which are not to be written to.
func (i Image) With(ops iter.Seq[Op]) Image {
	for op := range ops {
		if op.Delete {
			i.root = i.root.without(op.Key)
		} else {
			i.root = i.root.with(Entry{op.Key, op.Value})
		}
	}
	return i
}

// Get is the value of a key. It is not a copy.
func (i Image) Get(key []byte) ([]byte, bool) {
	if n := i.root.find(key); n != nil {
		return n.entry.Value, true
	}
	return nil, false
}

// Scan iterates over the entries with from <= key < to in key order; empty or nil is open on that side. They are not copies.
func (i Image) Scan(from, to []byte) iter.Seq[Entry] {
	return func(yield func(Entry) bool) { i.root.scan(from, to, yield) }
}
