package p2p_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
)

// script is a stream that reads given chunks and remembers what is asked of it.
type script struct {
	chunks [][]byte
	armed  int
	most   int // largest read asked for
	wrote  int
}

func (s *script) Read(p []byte) (int, error) {
	s.most = max(s.most, len(p))
	if len(s.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.chunks[0])
	if s.chunks[0] = s.chunks[0][n:]; len(s.chunks[0]) == 0 {
		s.chunks = s.chunks[1:]
	}
	return n, nil
}
func (s *script) Write(p []byte) (int, error)        { s.wrote += len(p); return len(p), nil }
func (s *script) SetReadDeadline(t time.Time) error  { s.armed++; return nil }
func (s *script) SetWriteDeadline(t time.Time) error { s.armed++; return nil }
func (*script) CloseWrite() error                    { return nil }
func (*script) Reset(p2p.Code)                       {}
func (*script) Watch()                               {}
func (*script) Gone(*stm.Tx) error                   { return nil }

// Stream is a protocol whose responder streams blobs to the initiator.
func blobs(bytesMax int) *table.Protocol {
	return &table.Protocol{
		Name: "blobs", Version: 1, Initial: "Streaming",
		States: []table.State{
			{Name: "Streaming", Agency: table.Responder, BytesMax: bytesMax, Timeout: time.Minute},
			{Name: "Done"},
		},
		Messages: []table.MessageSpec{
			{Tag: 0, Name: "Blob", From: []table.StateID{"Streaming"}, To: "Streaming", New: func() table.Message { return new(Say) }},
			{Tag: 2, Name: "End", From: []table.StateID{"Streaming"}, To: "Done", New: func() table.Message { return new(Bye) }},
		},
	}
}

func blob(n int) table.Message { return &Say{word{Text: string(make([]byte, n))}} }

func receive(t *testing.T, s *p2p.Session, lengths ...int) {
	t.Helper()
	for _, n := range lengths {
		m, err := s.Recv()
		require.NoError(t, err)
		require.Len(t, m.(*Say).Text, n)
	}
	require.NoError(t, second(s.Recv()))
	require.Equal(t, table.StateID("Done"), s.State())
	require.NoError(t, s.Close(time.Second))
}

// However the bytes are cut into reads, the messages are the same.
func TestEverySplit(t *testing.T) {
	lengths := []int{0, 3, 600, 1}
	var all []byte
	for _, n := range lengths {
		all = append(all, p2ptest.FrameOf(blob(n))...)
	}
	all = append(all, p2ptest.FrameOf(&Bye{})...)
	for cut := 1; cut < len(all); cut++ {
		st := &script{chunks: [][]byte{all[:cut:cut], all[cut:]}}
		receive(t, p2p.NewSession(context.Background(), blobs(1<<10), table.Initiator, p2p.Conn{Stream: st}), lengths...)
	}
	st := &script{}
	for i := range all {
		st.chunks = append(st.chunks, all[i:i+1])
	}
	receive(t, p2p.NewSession(context.Background(), blobs(1<<10), table.Initiator, p2p.Conn{Stream: st}), lengths...)
}

// Memory follows the bytes that have come, not the length that was announced; and a large frame's memory is not kept.
func TestBufferFollowsBytes(t *testing.T) {
	big := p2ptest.FrameOf(blob(1 << 20))
	announced := &script{chunks: [][]byte{big[:5]}}
	s := p2p.NewSession(context.Background(), blobs(2<<20), table.Initiator, p2p.Conn{Stream: announced})
	require.Equal(t, p2p.Truncated, kind(second(s.Recv())))
	require.LessOrEqual(t, announced.most, 512)

	st := &script{chunks: [][]byte{big, p2ptest.FrameOf(blob(1)), p2ptest.FrameOf(&Bye{})}}
	s = p2p.NewSession(context.Background(), blobs(2<<20), table.Initiator, p2p.Conn{Stream: st})
	require.NoError(t, second(s.Recv()))
	require.LessOrEqual(t, st.most, 1<<20)
	st.most = 0
	receive(t, s, 1)
	require.LessOrEqual(t, st.most, 512)
}

// Deadlines are armed lazily: hardly ever for a busy session.
func TestDeadlinesAreLazy(t *testing.T) {
	st := &script{}
	for range 1000 {
		st.chunks = append(st.chunks, p2ptest.FrameOf(blob(5)))
	}
	s := p2p.NewSession(context.Background(), blobs(64), table.Initiator, p2p.Conn{Stream: st})
	for range 1000 {
		require.NoError(t, second(s.Recv()))
	}
	require.LessOrEqual(t, st.armed, 2)
}

// A state without a limit lifts the deadline of the one before.
func TestForever(t *testing.T) {
	p := Echo()
	p.States[0].Timeout = table.Forever
	require.NoError(t, p.Validate())
	st := &script{chunks: [][]byte{p2ptest.FrameOf(&Say{}), p2ptest.FrameOf(&Bye{})}}
	s := p2p.NewSession(context.Background(), p, table.Responder, p2p.Conn{Stream: st})
	require.NoError(t, second(s.Recv()))
	require.NoError(t, s.Send(&Echoed{}))
	require.NoError(t, second(s.Recv()))
	require.Equal(t, 1, st.armed, "the write deadline alone")
}

// What is sent waits for a wait, or for 32 KiB.
func TestFlush(t *testing.T) {
	st := &script{}
	s := p2p.NewSession(context.Background(), blobs(1<<10), table.Responder, p2p.Conn{Stream: st})
	for sent := 0; sent < 32<<10; sent += 910 {
		require.Zero(t, st.wrote)
		require.NoError(t, s.Send(blob(900)))
	}
	require.NotZero(t, st.wrote)
}

// Whatever bytes come, a session ends by an error, without a panic, and holds no more than came.
func FuzzSession(f *testing.F) {
	f.Add(p2ptest.FrameOf(&Say{word{Text: "word"}}), 3)
	f.Add([]byte("GET / HTTP/1.1"), 1)
	f.Add(append(p2ptest.FrameOf(&Bye{}), 0), 5)
	f.Fuzz(func(t *testing.T, b []byte, cut int) {
		cut = max(0, min(cut, len(b)))
		st := &script{}
		for _, chunk := range [][]byte{b[:cut], b[cut:]} {
			if len(chunk) > 0 {
				st.chunks = append(st.chunks, chunk)
			}
		}
		s := p2p.NewSession(context.Background(), blobs(1<<16), table.Initiator, p2p.Conn{Stream: st})
		for s.State() != "Done" {
			if _, err := s.Recv(); err != nil {
				require.Equal(t, err, s.Close(0))
				break
			}
		}
		require.LessOrEqual(t, st.most, 512+len(b))
	})
}
