package tendermint

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/consensus"
)

func drawMessage(t *rapid.T) Message {
	m := Message{
		Kind:       Kind(rapid.IntRange(1, 3).Draw(t, "kind")),
		Epoch:      rapid.Uint64().Draw(t, "epoch"),
		Height:     Height(rapid.Uint64Min(1).Draw(t, "height")),
		Round:      Round(rapid.Int32Min(0).Draw(t, "round")),
		ValidRound: NoRound,
		Author:     rapid.IntRange(0, 1<<16-1).Draw(t, "author"),
		Signature:  rapid.SliceOfN(rapid.Byte(), signatureBytes, signatureBytes).Draw(t, "signature"),
		Value:      Value(rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "value")),
	}
	if m.Kind == Proposal {
		m.Block = rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "block")
		m.Value = valueOf(m.Block)
		m.ValidRound = Round(rapid.Int32Range(-1, int32(m.Round)-1).Draw(t, "validRound"))
	}
	return m
}

func TestMessagesRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := drawMessage(t)
		b := m.Bytes()
		got, err := DecodeMessage(b)
		require.NoError(t, err)
		require.Equal(t, b, got.Bytes())
		got.raw = nil
		require.Equal(t, m, got)
		require.Equal(t, b, got.Bytes(), "one encoding")
		require.True(t, bytes.HasPrefix(b, m.Content()))
	})
}

// What is signed says all that matters: two messages with one content are the same but for author, signature and block.
func TestConflict(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawMessage(t), drawMessage(t)
		if rapid.Bool().Draw(t, "same place") {
			b.Kind, b.Epoch, b.Height, b.Round = a.Kind, a.Epoch, a.Height, a.Round
		}
		if rapid.Bool().Draw(t, "same thing") {
			b.Value, b.ValidRound = a.Value, a.ValidRound
		}
		samePlace := a.Kind == b.Kind && a.Epoch == b.Epoch && a.Height == b.Height && a.Round == b.Round
		sameThing := a.Value == b.Value && a.ValidRound == b.ValidRound
		require.Equal(t, samePlace && !sameThing, conflict(a.Content(), b.Content()))
		require.False(t, conflict(a.Content(), a.Content()))
		require.False(t, conflict(a.Content(), nil))
	})
}

func TestMalformedMessages(t *testing.T) {
	vote := Message{Kind: Prevote, Height: 1, ValidRound: NoRound, Signature: make([]byte, signatureBytes)}
	proposal := vote
	proposal.Kind, proposal.Block = Proposal, []byte("block")
	proposal.Value = valueOf(proposal.Block)
	for _, m := range []Message{vote, proposal} {
		_, err := DecodeMessage(m.Bytes())
		require.NoError(t, err)
	}
	for what, change := range map[string]func(v, p *Message){
		"no kind":                 func(v, p *Message) { v.Kind, p.Kind = 0, 0 },
		"unknown kind":            func(v, p *Message) { v.Kind, p.Kind = 5, 5 },
		"height 0":                func(v, p *Message) { v.Height, p.Height = 0, 0 },
		"round -1":                func(v, p *Message) { v.Round, p.Round = -1, -1 },
		"validRound":              func(v, p *Message) { v.ValidRound, p.ValidRound = 0, 0 },
		"validRound -2":           func(v, p *Message) { v.ValidRound, p.ValidRound = -2, -2 },
		"block, or none":          func(v, p *Message) { v.Block, p.Block = []byte("b"), nil },
		"a nil proposal, a block": func(v, p *Message) { v.Block, p.Value = []byte("b"), Value{} },
	} {
		v, p := vote, proposal
		change(&v, &p)
		for _, m := range []Message{v, p} {
			_, err := DecodeMessage(m.Bytes())
			require.ErrorIs(t, err, ErrMessage, "%s: %v", what, m)
		}
	}
	_, err := DecodeMessage(vote.Bytes()[1:])
	require.ErrorIs(t, err, ErrMessage)
}

func TestBlocksRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Block{Height: Height(rapid.Uint64().Draw(t, "height")), Payload: rapid.SliceOf(rapid.Byte()).Draw(t, "payload")}
		copy(b.Prev[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "prev"))
		for range rapid.IntRange(0, accusedMax).Draw(t, "accused") {
			a := Accusation{drawMessage(t), drawMessage(t)}
			a.Second.Author = a.First.Author
			a.First.Block, a.Second.Block = nil, nil
			b.Accused = append(b.Accused, a)
		}
		got, err := DecodeBlock(b.Bytes())
		require.NoError(t, err)
		if len(b.Payload) == 0 {
			got.Payload, b.Payload = nil, nil
		}
		require.Equal(t, b, got)
	})
}

func TestDecisionsRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Decision{Epoch: rapid.Uint64().Draw(t, "epoch"), Height: Height(rapid.Uint64Min(1).Draw(t, "height")),
			Round: Round(rapid.Int32Min(0).Draw(t, "round")), Block: rapid.SliceOfN(rapid.Byte(), 1, 20).Draw(t, "block")}
		for i := range rapid.IntRange(0, 5).Draw(t, "signers") {
			d.Certificate.Signers = append(d.Certificate.Signers, i)
			d.Certificate.Signatures = append(d.Certificate.Signatures, rapid.SliceOfN(rapid.Byte(), signatureBytes, signatureBytes).Draw(t, "signature"))
		}
		got, err := DecodeDecision(d.Bytes())
		require.NoError(t, err)
		require.Equal(t, d, got)
	})
	for _, raw := range []string{"", "\x04", strings.Repeat("\x04", decisionHead), strings.Repeat("\x03", 200)} {
		_, err := DecodeDecision([]byte(raw))
		require.ErrorIs(t, err, ErrMessage)
	}
}

func TestDecisionCheck(t *testing.T) {
	s := fourEqual()
	all := func([]consensus.Claim) []int { return nil }
	d := Decision{Height: 1, Block: []byte("b"), Certificate: consensus.Certificate{Signers: []int{0, 1, 2}, Signatures: make([][]byte, 3)}}
	require.NoError(t, d.Check(s, all))
	for what, change := range map[string]func(*Decision){
		"height": func(d *Decision) { d.Height = 0 }, "round": func(d *Decision) { d.Round = -1 }, "block": func(d *Decision) { d.Block = nil },
		"weight": func(d *Decision) {
			d.Certificate = consensus.Certificate{Signers: []int{0, 1}, Signatures: make([][]byte, 2)}
		},
	} {
		x := d
		change(&x)
		require.Error(t, x.Check(s, all), what)
	}
}

// No bytes make the decoders panic, and what they accept has one encoding.
func FuzzDecode(f *testing.F) {
	m := Message{Kind: Prevote, Height: 1, ValidRound: NoRound, Signature: make([]byte, signatureBytes)}
	f.Add(m.Bytes())
	f.Add(Block{Height: 1, Accused: []Accusation{{m, m}}, Payload: []byte("x")}.Bytes())
	f.Add(Decision{Height: 1, Block: []byte("b"), Certificate: consensus.Certificate{Signers: []int{1}, Signatures: [][]byte{make([]byte, signatureBytes)}}}.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := DecodeMessage(b); err == nil {
			m.raw = nil
			require.Equal(t, b, m.Bytes())
		}
		if x, err := DecodeBlock(b); err == nil {
			require.Equal(t, b, x.Bytes())
			for _, a := range x.Accused {
				_ = a.Check(fourEqual(), func(c []consensus.Claim) []int { return nil })
			}
		}
		if d, err := DecodeDecision(b); err == nil {
			require.Equal(t, b, d.Bytes())
			_ = d.Check(fourEqual(), func(c []consensus.Claim) []int { return nil })
		}
	})
}
