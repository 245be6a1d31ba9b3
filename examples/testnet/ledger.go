package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/synodkit/synod/chain"
)

const (
	noteTextMax  = 64
	noteBytesMax = noteTextMax + 16
)

// errNote says that a body is not the note of a forger.
var errNote = errors.New("not a note")

// note is the body of a block: who made it, and a word from them. Its encoding is canonical CBOR.
type note struct {
	_      struct{} `cbor:",toarray"`
	Forger uint32
	Text   string
}

func (n note) encode() ([]byte, error) {
	if len(n.Text) > noteTextMax {
		return nil, fmt.Errorf("%w: a text of %d bytes, at most %d", errNote, len(n.Text), noteTextMax)
	}
	return chain.Marshal(n)
}

func decodeNote(body []byte) (note, error) {
	var n note
	if len(body) > noteBytesMax {
		return n, fmt.Errorf("%w: %d bytes, at most %d", errNote, len(body), noteBytesMax)
	}
	if err := chain.Unmarshal(body, &n); err != nil {
		return n, fmt.Errorf("%w: %w", errNote, err)
	}
	if len(n.Text) > noteTextMax || strings.ContainsFunc(n.Text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return n, fmt.Errorf("%w: the text is too long or has control characters", errNote)
	}
	return n, nil
}

// tally is the state of the ledger: how many blocks there are, and a root that depends on every body in order.
type tally struct {
	Blocks uint64
	Root   chain.Hash
}

// ledger counts. A block is valid if its body is the note of the node whose slot it is.
type ledger struct{ nodes uint64 }

// Apply is the state after b.
func (l ledger) Apply(s tally, b chain.Block) (tally, error) {
	n, err := decodeNote(b.Body)
	if err != nil {
		return s, err
	}
	if leader := uint64(b.Header.Slot()) % l.nodes; uint64(n.Forger) != leader {
		return s, fmt.Errorf("%w of the forger: it names node %d in a slot of node %d", errNote, n.Forger, leader)
	}
	return tally{s.Blocks + 1, chain.HashOf(append(s.Root[:], b.Body...))}, nil
}
