package gen_test

import (
	"context"
	"encoding/binary"
	"io"
	"testing"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/protogen/gen/testdata/shapes"
	"github.com/synodkit/synod/p2p/table"
)

// BenchmarkExchange is a question and one of several answers, without fields: by generated code, by the session that it stands on, and by hand.
func BenchmarkExchange(b *testing.B) {
	question, answer := p2ptest.FrameOf(&shapes.Ask{}), p2ptest.FrameOf(&shapes.No{})
	b.Run("kind=raw", func(b *testing.B) {
		b.ReportAllocs()
		st := &answering{answer: answer}
		buf := make([]byte, 64)
		for b.Loop() {
			_, _ = st.Write(question)
			_, _ = io.ReadFull(st, buf[:4])
			_, _ = io.ReadFull(st, buf[:binary.BigEndian.Uint32(buf)])
		}
	})
	b.Run("kind=session", func(b *testing.B) {
		b.ReportAllocs()
		s := p2p.NewSession(context.Background(), shapes.Shapes(), table.Initiator, p2p.Conn{Stream: &answering{answer: answer}})
		for b.Loop() {
			if err := s.Send(&shapes.Ask{}); err != nil {
				b.Fatal(err)
			}
			if _, err := s.Recv(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("kind=generated", func(b *testing.B) {
		b.ReportAllocs()
		open, _ := shapes.NewInitiator(context.Background(), p2p.Conn{Stream: &answering{answer: answer}})
		for b.Loop() {
			choice, err := open.Ask()
			if err != nil {
				b.Fatal(err)
			}
			m, err := choice.Recv()
			if err != nil {
				b.Fatal(err)
			}
			open = m.(*shapes.InitiatorChoiceNo).Next
		}
	})
}
