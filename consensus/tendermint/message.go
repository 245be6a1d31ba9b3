package tendermint

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
)

// Names of the paper: h, r, v.
type (
	Height uint64     // numbers the values decided, from 1
	Round  int32      // an attempt at a height, from 0; NoRound is the paper's -1
	Value  chain.Hash // names a block, the paper's id(v); the zero Value is nil
)

// NoRound is the round of nothing: validRound of a proposal that was never valid before.
const NoRound Round = -1

// String is the first digits of the hash, or nil.
func (v Value) String() string {
	if v == (Value{}) {
		return "nil"
	}
	return fmt.Sprintf("%x", v[:4])
}

// Kind is a kind of message.
type Kind uint8

// The kinds, in the order of a round.
const (
	Proposal Kind = iota + 1
	Prevote
	Precommit
)

// String is the paper's name.
func (k Kind) String() string {
	if k < Proposal || k > Precommit {
		return fmt.Sprintf("kind %d", uint8(k))
	}
	return [...]string{"PROPOSAL", "PREVOTE", "PRECOMMIT"}[k-1]
}

// Message is PROPOSAL(h, r, v, vr), PREVOTE(h, r, v) or PRECOMMIT(h, r, v), signed by a validator. It is immutable.
type Message struct {
	Kind       Kind
	Epoch      uint64 // counts the changes of the validator set
	Height     Height
	Round      Round
	ValidRound Round // of a proposal; else NoRound
	Value      Value
	Author     int    // the validator's number in the epoch's set
	Signature  []byte // of Content
	Block      []byte // of a proposal: what Value is the hash of

	raw []byte // as received
}

// ErrMessage says that bytes are not the encoding of a message, or of a decision.
var ErrMessage = errors.New("tendermint: malformed message")

// Sizes of the encoding: big-endian integers, one after the other.
const (
	contentBytes = 1 + 8 + 8 + 4 + 4 + 32 // kind, epoch, height, round, validRound, value
	headBytes    = contentBytes + 2 + signatureBytes
	// signatureBytes is the length of every signature; what it means is the verifier's.
	signatureBytes = 64
)

// Content is what the author signs: everything but itself. The block is covered by its hash.
func (m Message) Content() []byte { return m.appendContent(make([]byte, 0, contentBytes)) }

func (m Message) appendContent(b []byte) []byte {
	b = append(b, byte(m.Kind))
	b = binary.BigEndian.AppendUint64(b, m.Epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(m.Height))
	b = binary.BigEndian.AppendUint32(b, uint32(m.Round))
	b = binary.BigEndian.AppendUint32(b, uint32(m.ValidRound))
	return append(b, m.Value[:]...)
}

// Bytes is the one encoding: content, author, signature, block.
func (m Message) Bytes() []byte {
	if m.raw != nil {
		return m.raw
	}
	b := m.appendContent(make([]byte, 0, headBytes+len(m.Block)))
	b = binary.BigEndian.AppendUint16(b, uint16(m.Author))
	var sig [signatureBytes]byte
	copy(sig[:], m.Signature)
	return append(append(b, sig[:]...), m.Block...)
}

// DecodeMessage reads one message and checks its form: what can be known of it alone. It keeps b.
func DecodeMessage(b []byte) (Message, error) {
	if len(b) < headBytes {
		return Message{}, fmt.Errorf("%w: %d bytes, at least %d", ErrMessage, len(b), headBytes)
	}
	m := decodeContent(b[:contentBytes])
	m.raw = b
	m.Author = int(binary.BigEndian.Uint16(b[contentBytes:]))
	m.Signature = b[contentBytes+2 : headBytes : headBytes]
	if len(b) > headBytes {
		m.Block = b[headBytes:]
	}
	return m, m.form()
}

func decodeContent(b []byte) Message {
	m := Message{
		Kind:       Kind(b[0]),
		Epoch:      binary.BigEndian.Uint64(b[1:]),
		Height:     Height(binary.BigEndian.Uint64(b[9:])),
		Round:      Round(binary.BigEndian.Uint32(b[17:])),
		ValidRound: Round(binary.BigEndian.Uint32(b[21:])),
	}
	copy(m.Value[:], b[25:])
	return m
}

// form is what no correct validator's message violates.
func (m Message) form() error {
	bad := func(what string) error { return fmt.Errorf("%w: %v: %s", ErrMessage, m.Kind, what) }
	switch {
	case m.Kind < Proposal || m.Kind > Precommit:
		return bad("unknown")
	case m.Height == 0 || m.Round < 0:
		return bad("height from 1, round from 0")
	case m.Kind == Proposal && (m.ValidRound < NoRound || m.ValidRound >= m.Round):
		return bad("validRound is before the round")
	case m.Kind == Proposal && (len(m.Block) == 0 || m.Value == Value{}):
		return bad("without a block")
	case m.Kind != Proposal && (m.ValidRound != NoRound || len(m.Block) > 0):
		return bad("with parts of a proposal")
	}
	return nil
}

// String is the message in the paper's form.
func (m Message) String() string {
	if m.Kind == Proposal {
		return fmt.Sprintf("%v(%d,%d,%v,%d) by %d", m.Kind, m.Height, m.Round, m.Value, m.ValidRound, m.Author)
	}
	return fmt.Sprintf("%v(%d,%d,%v) by %d", m.Kind, m.Height, m.Round, m.Value, m.Author)
}

// conflict is the rule of evidence: two contents that no correct validator signs both, which is to say two different ones of one
// kind, epoch, height and round.
func conflict(first, second []byte) bool {
	const slot = 1 + 8 + 8 + 4 // kind to round
	if len(first) != contentBytes || len(second) != contentBytes || string(first) == string(second) {
		return false
	}
	a, b := decodeContent(first), decodeContent(second)
	return string(first[:slot]) == string(second[:slot]) && a.Kind >= Proposal && a.Kind <= Precommit && a.Round >= 0 && b.Round >= 0
}
