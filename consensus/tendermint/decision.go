package tendermint

import (
	"encoding/binary"
	"fmt"

	"github.com/synodkit/synod/consensus"
)

// Decision is a block that is final, with the proof: precommits of more than two thirds, all of one round.
type Decision struct {
	Epoch       uint64
	Height      Height
	Round       Round
	Block       []byte
	Certificate consensus.Certificate
}

// decisionKind sets a decision's encoding apart from that of messages.
const decisionKind = 4

const decisionHead = 1 + 8 + 8 + 4 + 2

// Value is the name of the block.
func (d Decision) Value() Value { return valueOf(d.Block) }

// precommit is what the signers have signed.
func (d Decision) precommit() []byte {
	return Message{Kind: Precommit, Epoch: d.Epoch, Height: d.Height, Round: d.Round, ValidRound: NoRound, Value: d.Value()}.Content()
}

// Check returns nil if the certificate proves the decision, given the validators of its height.
func (d Decision) Check(s *consensus.Set, v consensus.Verifier) error {
	if d.Height == 0 || d.Round < 0 || len(d.Block) == 0 {
		return fmt.Errorf("%w: decision %d in round %d", ErrMessage, d.Height, d.Round)
	}
	content := d.precommit()
	return d.Certificate.Check(s, consensus.TwoThirds, func(int) []byte { return content }, v)
}

// Bytes is the one encoding: kind, epoch, height, round, number of signers, each (number, signature), block.
func (d Decision) Bytes() []byte {
	b := make([]byte, 0, decisionHead+len(d.Certificate.Signers)*(2+signatureBytes)+len(d.Block))
	b = append(b, decisionKind)
	b = binary.BigEndian.AppendUint64(b, d.Epoch)
	b = binary.BigEndian.AppendUint64(b, uint64(d.Height))
	b = binary.BigEndian.AppendUint32(b, uint32(d.Round))
	b = binary.BigEndian.AppendUint16(b, uint16(len(d.Certificate.Signers)))
	for i, who := range d.Certificate.Signers {
		b = append(binary.BigEndian.AppendUint16(b, uint16(who)), d.Certificate.Signatures[i]...)
	}
	return append(b, d.Block...)
}

// DecodeDecision reads a decision. It keeps b. What it proves is for [Decision.Check] to say.
func DecodeDecision(b []byte) (Decision, error) {
	if len(b) < decisionHead || b[0] != decisionKind {
		return Decision{}, fmt.Errorf("%w: no decision in %d bytes", ErrMessage, len(b))
	}
	d := Decision{
		Epoch:  binary.BigEndian.Uint64(b[1:]),
		Height: Height(binary.BigEndian.Uint64(b[9:])),
		Round:  Round(binary.BigEndian.Uint32(b[17:])),
	}
	n := int(binary.BigEndian.Uint16(b[21:]))
	b = b[decisionHead:]
	if n > consensus.MembersMax || len(b) < n*(2+signatureBytes) {
		return Decision{}, fmt.Errorf("%w: %d signers in %d bytes", ErrMessage, n, len(b))
	}
	for range n {
		d.Certificate.Signers = append(d.Certificate.Signers, int(binary.BigEndian.Uint16(b)))
		d.Certificate.Signatures = append(d.Certificate.Signatures, b[2:2+signatureBytes:2+signatureBytes])
		b = b[2+signatureBytes:]
	}
	d.Block = b
	return d, nil
}
