package chainsel

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/store"
)

// disk reads and writes the stored chain: below the prefix, "h" and a block number (big endian) hold the header, "b" and the number the body,
// "t" the record of the ends. All that is changed by one move of the selection is one batch.
type disk struct {
	store   store.Store
	prefix  string
	genesis chain.Hash
}

// record says where the stored chain ends, so that a loss is noticed, and what no rollback passes, so that it stays so after a restart.
type record struct {
	anchor chain.BlockNo
	tip    chain.Tip
}

const recordBytes = 8 + 8 + 8 + 32 + 32

var errRecord = errors.New("not a record of a chain's ends")

func (r record) bytes(genesis chain.Hash) []byte {
	b := make([]byte, 0, recordBytes)
	b = binary.BigEndian.AppendUint64(b, uint64(r.anchor))
	b = binary.BigEndian.AppendUint64(b, uint64(r.tip.BlockNo))
	b = binary.BigEndian.AppendUint64(b, uint64(r.tip.Point.Slot))
	b = append(b, r.tip.Point.Hash[:]...)
	return append(b, genesis[:]...)
}

func (d disk) key(kind byte, n chain.BlockNo) []byte {
	return binary.BigEndian.AppendUint64(append([]byte(d.prefix), kind), uint64(n))
}

func (d disk) recordKey() []byte { return append([]byte(d.prefix), 't') }

// record reads the record; false if there is none.
func (d disk) record() (r record, found bool, err error) {
	b, err := d.store.Get(d.recordKey())
	switch {
	case errors.Is(err, store.ErrNotFound):
		return r, false, nil
	case err != nil:
		return r, false, err
	case len(b) != recordBytes:
		return r, false, d.corrupt("record", errRecord)
	}
	if genesis := chain.Hash(b[56:]); genesis != d.genesis {
		return r, false, d.corrupt("record", fmt.Errorf("the chain of genesis %v instead of %v", genesis, d.genesis))
	}
	r.anchor = chain.BlockNo(binary.BigEndian.Uint64(b))
	r.tip = chain.Tip{
		Point:   chain.Point{Slot: chain.Slot(binary.BigEndian.Uint64(b[16:])), Hash: chain.Hash(b[24:56])},
		BlockNo: chain.BlockNo(binary.BigEndian.Uint64(b[8:])),
	}
	if r.anchor > r.tip.BlockNo {
		return r, false, d.corrupt("record", errRecord)
	}
	return r, true, nil
}

func (d disk) corrupt(where string, err error) error {
	return &CorruptError{fmt.Sprintf("%s below %q", where, d.prefix), err}
}

// header reads the header with a number.
func (d disk) header(n chain.BlockNo) (*chain.Header, error) {
	b, err := d.store.Get(d.key('h', n))
	if err != nil {
		return nil, d.missing("header", n, err)
	}
	return d.decode(n, b)
}

func (d disk) decode(n chain.BlockNo, b []byte) (*chain.Header, error) {
	h, err := chain.DecodeHeader(b)
	if err == nil && h.BlockNo() != n {
		err = fmt.Errorf("it has number %d", h.BlockNo())
	}
	if err != nil {
		return nil, d.corrupt(fmt.Sprintf("header %d", n), err)
	}
	return h, nil
}

// missing makes a store's error one of this package: absence is corruption, since only numbers on the selection are looked for.
func (d disk) missing(kind string, n chain.BlockNo, err error) error {
	if errors.Is(err, store.ErrNotFound) {
		return d.corrupt(fmt.Sprintf("%s %d", kind, n), err)
	}
	return fmt.Errorf("chainsel: reading %s %d: %w", kind, n, err)
}

// headers reads those numbered from .. to, both included, which must all be there and linked.
func (d disk) headers(from, to chain.BlockNo) ([]*chain.Header, error) {
	out := make([]*chain.Header, 0, to-from+1)
	next := from
	for e, err := range d.store.Scan(d.key('h', from), d.key('h', to+1)) {
		if err != nil {
			return nil, fmt.Errorf("chainsel: reading headers from %d: %w", from, err)
		}
		if string(e.Key) != string(d.key('h', next)) {
			break
		}
		h, err := d.decode(next, e.Value)
		if err != nil {
			return nil, err
		}
		if i := len(out) - 1; i >= 0 && out[i].Hash() != h.Prev() {
			return nil, d.corrupt(fmt.Sprintf("header %d", next-1), fmt.Errorf("%w: %v, before %v", chain.ErrNotNext, out[i], h))
		}
		out = append(out, h)
		next++
	}
	if next != to+1 {
		return nil, d.missing("header", next, store.ErrNotFound)
	}
	return out, nil
}

// block joins a stored body to its header.
func (d disk) block(h *chain.Header) (chain.Block, error) {
	body, err := d.store.Get(d.key('b', h.BlockNo()))
	if err != nil {
		return chain.Block{}, d.missing("body", h.BlockNo(), err)
	}
	b, err := chain.NewBlock(h, body)
	if err != nil {
		return chain.Block{}, d.corrupt(fmt.Sprintf("body %d", h.BlockNo()), err)
	}
	return b, nil
}

// move is the batch that replaces the blocks after number at, up to old, by others.
func (d disk) move(at, old chain.BlockNo, blocks []chain.Block, anchor chain.BlockNo) *store.Batch {
	b := new(store.Batch)
	tip := chain.Tip{Point: chain.Point{Hash: d.genesis}}
	for _, x := range blocks {
		tip = x.Header.Tip()
		b.Put(d.key('h', tip.BlockNo), x.Header.Bytes())
		b.Put(d.key('b', tip.BlockNo), x.Body)
	}
	for n := max(tip.BlockNo, at) + 1; n <= old; n++ {
		b.Delete(d.key('h', n))
		b.Delete(d.key('b', n))
	}
	b.Put(d.recordKey(), record{anchor, tip}.bytes(d.genesis))
	return b
}
