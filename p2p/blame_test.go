package p2p_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
)

// failing is a stream whose bytes end by an error, in the middle of a frame or before it.
type failing struct {
	script
	bytes       []byte
	read, write error
}

func (s *failing) Read(p []byte) (int, error) {
	if n := copy(p, s.bytes); n > 0 {
		s.bytes = s.bytes[n:]
		return n, nil
	}
	return 0, s.read
}

func (s *failing) Write(p []byte) (int, error) {
	if s.write != nil {
		return 0, s.write
	}
	return len(p), nil
}

// probed is one that can be asked whether the peer is there.
type probed struct {
	failing
	answer error
	during func() // happens while it is asked
}

func (s *probed) Probe() error {
	if s.during != nil {
		s.during()
	}
	return s.answer
}

// Which ends of a stream are the peer's fault: never those of a connection that is lost, whatever else the error wraps, and a passed limit only if
// the peer is still there, as far as the transport can tell.
func TestBlame(t *testing.T) {
	lost := func(err error) error { return fmt.Errorf("%w: %w", p2p.ErrGone, err) }
	half := []byte{0, 0, 0, 9, 1, 0x81}
	type blame struct {
		name   string
		stream p2p.Stream
		want   p2p.ViolationKind
	}
	cases := []blame{
		{"silent", &failing{read: os.ErrDeadlineExceeded}, p2p.Timeout},
		{"silent, and there", &probed{failing: failing{read: os.ErrDeadlineExceeded}}, p2p.Timeout},
		{"silent, and gone", &probed{failing: failing{read: os.ErrDeadlineExceeded}, answer: p2p.ErrGone}, 0},
		{"does not read", &failing{write: os.ErrDeadlineExceeded}, p2p.Stalled},
		{"does not read, and there", &probed{failing: failing{write: os.ErrDeadlineExceeded}}, p2p.Stalled},
		{"does not read, and gone", &probed{failing: failing{write: os.ErrDeadlineExceeded}, answer: p2p.ErrGone}, 0},
		{"lost while writing, by a timeout", &failing{write: lost(os.ErrDeadlineExceeded)}, 0},
		{"an orderly end inside a frame", &failing{bytes: half, read: io.EOF}, p2p.Truncated},
	}
	for _, cause := range []error{io.EOF, io.ErrUnexpectedEOF, os.ErrDeadlineExceeded, errors.New("reset by peer")} {
		for at, bytes := range map[string][]byte{"between frames": nil, "inside a length": half[:2], "inside a frame": half} {
			cases = append(cases, blame{fmt.Sprintf("lost by %v %s", cause, at), &failing{bytes: bytes, read: lost(cause)}, 0})
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var reported []*p2p.Violation
			s := p2p.NewSession(context.Background(), Echo(), table.Initiator, p2p.Conn{
				Peer: "peer", Stream: c.stream, Report: func(_ context.Context, v *p2p.Violation) { reported = append(reported, v) },
			})
			err := ask(s, "word")
			require.Error(t, err)
			require.Equal(t, c.want, kind(err), "%v", err)
			if c.want == 0 {
				require.ErrorIs(t, err, p2p.ErrGone)
				require.Empty(t, reported)
			} else {
				require.Len(t, reported, 1)
			}
			require.Equal(t, err, s.Close(0))
		})
	}
}

// What has come by the time the peer has proven that it is there was not late: it was us who slept. That goes for a whole message, once.
func TestReprieve(t *testing.T) {
	answer := p2ptest.FrameOf(&Echoed{word{Text: "word"}})
	for name, c := range map[string]struct {
		comes []byte
		want  p2p.ViolationKind
	}{"the message": {answer, 0}, "a part of it": {answer[:7], p2p.Timeout}, "nothing": {nil, p2p.Timeout}} {
		t.Run(name, func(t *testing.T) {
			probes := 0
			stream := &probed{failing: failing{read: os.ErrDeadlineExceeded}}
			stream.during = func() {
				if probes++; probes == 1 {
					stream.bytes = c.comes
				}
			}
			s := start(context.Background(), table.Initiator, stream)
			err := ask(s, "word")
			require.Equal(t, c.want, kind(err), "%v", err)
			if c.want != 0 {
				require.Equal(t, 2, probes)
				return
			}
			require.NoError(t, err)
			require.Equal(t, p2p.Timeout, kind(ask(s, "another")))
			require.Equal(t, 3, probes, "a new message has a last moment of its own")
		})
	}
}

// A session that is cancelled while the peer is asked blames nobody.
func TestCancelledWhileProbing(t *testing.T) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stream := &probed{failing: failing{read: os.ErrDeadlineExceeded}, during: func() { cancel(errWhy) }}
	err := ask(start(ctx, table.Initiator, stream), "word")
	require.ErrorIs(t, err, errWhy)
	require.Zero(t, kind(err))
}
