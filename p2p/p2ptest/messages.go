package p2ptest

import (
	"encoding/hex"
	"testing"

	"github.com/synodkit/synod/p2p/table"
)

// Golden compares messages on the wire with what they have always been, in hexadecimal.
func Golden(t testing.TB, samples []table.Message, want ...string) {
	t.Helper()
	if len(samples) != len(want) {
		t.Fatalf("%d encodings of %d messages", len(want), len(samples))
	}
	for i, m := range samples {
		if got := hex.EncodeToString(FrameOf(m)); got != want[i] {
			t.Errorf("%T is %s, not %s", m, got, want[i])
		}
	}
}

// FuzzMessages fuzzes the decoders of a protocol's messages, beginning with samples: none panics, and each is [Canonical].
func FuzzMessages(f *testing.F, p *table.Protocol, samples ...table.Message) {
	for _, m := range samples {
		f.Add(m.Tag(), FrameOf(m)[5:])
	}
	f.Fuzz(func(t *testing.T, tag byte, body []byte) {
		for _, spec := range p.Messages {
			if spec.Tag == tag {
				if err := Canonical(spec.New(), body); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

// Parse has the decoder of m's tag parse what m encodes to: its error, or nil.
func Parse(p *table.Protocol, m table.Message) error {
	for _, spec := range p.Messages {
		if spec.Tag == m.Tag() {
			return spec.New().ParseFrom(FrameOf(m)[5:])
		}
	}
	return errNotCanonical
}

// Refused checks that the decoders refuse messages, given by what is wrong with them.
func Refused(t testing.TB, p *table.Protocol, bad map[string]table.Message) {
	t.Helper()
	for what, m := range bad {
		if Parse(p, m) == nil {
			t.Errorf("%s: %T is accepted", what, m)
		}
	}
}

// Fits checks that a message has room in a state in which it may be sent.
func Fits(t testing.TB, p *table.Protocol, m table.Message, state table.StateID) {
	t.Helper()
	if n, most := len(FrameOf(m))-4, p.State(state).BytesMax; n > most {
		t.Errorf("%T has %d bytes, %s takes %d", m, n, state, most)
	}
}
