package p2p_test

import (
	"cmp"
	"context"
	"io"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/stm"
)

// script is a stream that reads given chunks and remembers what is asked of it.
type script struct {
	chunks [][]byte
	end    error // after the chunks; nil is io.EOF
	armed  int
	most   int // largest read asked for
	wrote  int
}

func (s *script) Read(p []byte) (int, error) {
	s.most = max(s.most, len(p))
	if len(s.chunks) == 0 {
		return 0, cmp.Or(s.end, io.EOF)
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

	begun := &script{chunks: [][]byte{big[:600]}}
	s = p2p.NewSession(context.Background(), blobs(2<<20), table.Initiator, p2p.Conn{Stream: begun})
	require.Equal(t, p2p.Truncated, kind(second(s.Recv())))
	require.LessOrEqual(t, begun.most, 512)

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

// A cancellation explains every other end: none of them becomes a violation, however the two race.
func TestCancellationExplains(t *testing.T) {
	for _, end := range []error{os.ErrDeadlineExceeded, io.EOF, p2p.ErrGone} {
		ctx, cancel := env.WithCancelCause(context.Background())
		st := &script{chunks: [][]byte{{0, 0}}, end: end}
		s := p2p.NewSession(ctx, Echo(), table.Responder, p2p.Conn{Stream: st})
		cancel(errWhy)
		err := second(s.Recv())
		require.ErrorIs(t, err, errWhy)
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, kind(err))
	}
}

// A frame of exactly the limit is sent and received; one byte more is not.
func TestExactLimit(t *testing.T) {
	const most = 64 // of Say in Idle: tag, array head, text head of two bytes, text
	st := &script{chunks: [][]byte{p2ptest.FrameOf(blob(most - 4))}}
	s := p2p.NewSession(context.Background(), Echo(), table.Responder, p2p.Conn{Stream: st})
	require.NoError(t, second(s.Recv()))
	for n, ok := range map[int]bool{most - 4: true, most - 3: false} {
		s := p2p.NewSession(context.Background(), Echo(), table.Initiator, p2p.Conn{Stream: &script{}})
		require.Equal(t, ok, s.Send(blob(n)) == nil)
	}
}

// Wait, too, notices what came out of turn.
func TestWaitNoticesEarlyBytes(t *testing.T) {
	st := &script{chunks: [][]byte{append(p2ptest.FrameOf(&Say{}), 0)}}
	s := p2p.NewSession(context.Background(), Echo(), table.Responder, p2p.Conn{Stream: st})
	require.NoError(t, second(s.Recv()))
	err := second(p2p.Wait(context.Background(), s, func(*stm.Tx) int { return 0 }))
	require.Equal(t, p2p.OutOfAgency, kind(err))
}

func TestInvalidProtocolPanics(t *testing.T) {
	require.PanicsWithValue(t, "p2p: NewSession with a protocol that Validate refuses", func() {
		p2p.NewSession(context.Background(), &table.Protocol{}, table.Initiator, p2p.Conn{Stream: &script{}})
	})
}
