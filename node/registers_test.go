package node_test

import (
	"errors"
	"fmt"
	"maps"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/node"
)

// The ledger of these tests: registers by name. It knows no account, no money and no signature; whoever likes may write, if they know
// the register's version.

// write is a transaction: it sets a register that has a version, and gives it the next one.
type write struct {
	_       struct{} `cbor:",toarray"`
	Key     string
	Version uint64 // of the register before; 0 if it was never set
	Value   string
}

const (
	keyBytesMax   = 32
	valueBytesMax = 8 << 10
)

func (w write) raw() []byte {
	b, err := chain.Marshal(w)
	if err != nil {
		panic(err)
	}
	return b
}

func (w write) id() chain.Hash { return chain.HashOf(w.raw()) }

type register struct {
	version uint64
	value   string
}

// state is what the ledger knows after a block. Its map is never written to.
type state struct {
	blocks int
	values map[string]register
}

var (
	errVersion = errors.New("another version")
	errForm    = errors.New("no write")
	errBody    = errors.New("bad body")
)

// registers implements node.Ledger.
type registers struct{}

var _ node.Ledger[state, write] = registers{}

func (registers) Parse(raw []byte) (w write, err error) {
	if err := chain.Unmarshal(raw, &w); err != nil {
		return write{}, err
	}
	if len(w.Key) == 0 || len(w.Key) > keyBytesMax || len(w.Value) > valueBytesMax {
		return write{}, fmt.Errorf("%w: key of %d bytes, value of %d", errForm, len(w.Key), len(w.Value))
	}
	return w, nil
}

func (registers) Check(s state, w write) (state, error) {
	if now := s.values[w.Key].version; now != w.Version {
		return s, fmt.Errorf("%w: %s has %d, not %d", errVersion, w.Key, now, w.Version)
	}
	next := maps.Clone(s.values)
	if next == nil {
		next = map[string]register{}
	}
	next[w.Key] = register{w.Version + 1, w.Value}
	return state{s.blocks, next}, nil
}

// body is a block's body on the wire; an empty one is allowed too, and holds nothing.
type body struct {
	_      struct{} `cbor:",toarray"`
	Writes [][]byte
}

func (registers) Transactions(b chain.Block) ([][]byte, error) {
	if len(b.Body) == 0 {
		return nil, nil
	}
	var x body
	if err := chain.Unmarshal(b.Body, &x); err != nil {
		return nil, fmt.Errorf("%w: %w", errBody, err)
	}
	return x.Writes, nil
}

func (l registers) Apply(s state, b chain.Block) (state, error) {
	raws, err := l.Transactions(b)
	if err != nil {
		return s, err
	}
	next := s
	for _, raw := range raws {
		w, err := l.Parse(raw)
		if err != nil {
			return s, err
		}
		if next, err = l.Check(next, w); err != nil {
			return s, err
		}
	}
	next.blocks++
	return next, nil
}

func (registers) Body(_ state, _ chain.Slot, ws []write) []byte {
	var x body
	for _, w := range ws {
		x.Writes = append(x.Writes, w.raw())
	}
	b, err := chain.Marshal(x)
	if err != nil {
		panic(err)
	}
	return b
}
