package p2p_test

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
)

// answering is a transport that costs nothing: every write makes the same answer readable.
type answering struct {
	script
	answer, left []byte
}

func (s *answering) Write(p []byte) (int, error) { s.left = s.answer; return len(p), nil }
func (s *answering) Read(p []byte) (int, error) {
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}

// BenchmarkExchange is one request and its answer, beside the same bytes by hand.
func BenchmarkExchange(b *testing.B) {
	request, answer := p2ptest.FrameOf(blob(30)), p2ptest.FrameOf(&Echoed{word{Text: "an answer of thirty bytes, so so"}})
	b.Run("kind=raw", func(b *testing.B) {
		b.ReportAllocs()
		st := &answering{answer: answer}
		buf := make([]byte, 512)
		for b.Loop() {
			_, _ = st.Write(request)
			_, _ = io.ReadFull(st, buf[:4])
			_, _ = io.ReadFull(st, buf[:binary.BigEndian.Uint32(buf)])
		}
	})
	b.Run("kind=session", func(b *testing.B) {
		b.ReportAllocs()
		s := p2p.NewSession(context.Background(), Echo(), table.Initiator, p2p.Conn{Stream: &answering{answer: answer}})
		say := blob(30)
		for b.Loop() {
			if err := s.Send(say); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Recv(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kind=codec", func(b *testing.B) { // what of it is CBOR
		b.ReportAllocs()
		say := blob(30)
		for b.Loop() {
			_, err := say.AppendTo(nil)
			require.NoError(b, err)
			require.NoError(b, new(Echoed).ParseFrom(answer[5:]))
		}
	})
}
