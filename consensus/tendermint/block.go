package tendermint

import (
	"encoding/binary"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/consensus"
)

// Block is what validators agree on: the application's payload, what it stands on, and proofs against validators.
type Block struct {
	Height  Height
	Prev    Value      // of the height before; zero at height 1
	State   chain.Hash // of the application's digest after the height before: validators whose state differs refuse
	Accused []Accusation
	Payload []byte
}

// Accusation is two messages of one author that conflict, without their blocks.
type Accusation struct{ First, Second Message }

// accusedMax bounds the accusations of one block.
const accusedMax = 16

const (
	blockHead     = 8 + 32 + 32 + 1
	accusationLen = 2*contentBytes + 2 + 2*signatureBytes
)

// Bytes is the one encoding: height, prev, state, number of accusations, each (content, content, author, signature, signature), payload.
func (b Block) Bytes() []byte {
	out := make([]byte, 0, blockHead+len(b.Accused)*accusationLen+len(b.Payload))
	out = binary.BigEndian.AppendUint64(out, uint64(b.Height))
	out = append(append(out, b.Prev[:]...), b.State[:]...)
	out = append(out, byte(len(b.Accused)))
	for _, a := range b.Accused {
		out = a.Second.appendContent(a.First.appendContent(out))
		out = binary.BigEndian.AppendUint16(out, uint16(a.First.Author))
		out = append(append(out, a.First.Signature...), a.Second.Signature...)
	}
	return append(out, b.Payload...)
}

// valueOf names a block by its bytes.
func valueOf(block []byte) Value { return Value(chain.HashOf(block)) }

// DecodeBlock reads a block. It keeps raw.
func DecodeBlock(raw []byte) (Block, error) {
	if len(raw) < blockHead {
		return Block{}, fmt.Errorf("%w: block of %d bytes", ErrMessage, len(raw))
	}
	b := Block{Height: Height(binary.BigEndian.Uint64(raw)), Prev: Value(raw[8:40]), State: chain.Hash(raw[40:72])}
	n := int(raw[72])
	raw = raw[blockHead:]
	if n > accusedMax || len(raw) < n*accusationLen {
		return Block{}, fmt.Errorf("%w: %d accusations in %d bytes", ErrMessage, n, len(raw))
	}
	for range n {
		first, second := decodeContent(raw), decodeContent(raw[contentBytes:])
		first.Author = int(binary.BigEndian.Uint16(raw[2*contentBytes:]))
		second.Author = first.Author
		first.Signature = raw[2*contentBytes+2:][:signatureBytes:signatureBytes]
		second.Signature = raw[2*contentBytes+2+signatureBytes:][:signatureBytes:signatureBytes]
		b.Accused = append(b.Accused, Accusation{first, second})
		raw = raw[accusationLen:]
	}
	b.Payload = raw
	return b, nil
}

// Evidence is the accusation in the form that package consensus checks.
func (a Accusation) Evidence(s *consensus.Set) (consensus.Evidence, error) {
	if a.First.Author != a.Second.Author || a.First.Author < 0 || a.First.Author >= s.Len() {
		return consensus.Evidence{}, fmt.Errorf("%w: authors %d and %d of %d", consensus.ErrEvidence, a.First.Author, a.Second.Author, s.Len())
	}
	who := s.At(a.First.Author).ID
	return consensus.Evidence{
		First:  consensus.Claim{Author: who, Content: a.First.Content(), Signature: a.First.Signature},
		Second: consensus.Claim{Author: who, Content: a.Second.Content(), Signature: a.Second.Signature},
	}, nil
}

// Check returns nil if the accusation proves that its author broke the protocol.
func (a Accusation) Check(s *consensus.Set, v consensus.Verifier) error {
	e, err := a.Evidence(s)
	if err != nil {
		return err
	}
	return e.Check(s, conflict, v)
}
