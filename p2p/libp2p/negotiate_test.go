package libp2p_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p/libp2p"
)

func never(error) bool { return false }

// The bytes are those of multistream-select 1.0, on the wire since 2015.
func TestHelloBytes(t *testing.T) {
	require.Equal(t, "\x13/multistream/1.0.0\n\x0e/synod/echo/1\n", string(libp2p.Hello(echoID)))
	long := "/" + strings.Repeat("x", 180)
	require.Equal(t, "\x13/multistream/1.0.0\n\xb6\x01"+long+"\n", string(libp2p.Hello(long)))
}

// late fails with a deadline before every byte, as a stream whose deadline passes again and again.
type late struct {
	r    io.Reader
	turn bool
}

func (l *late) Read(p []byte) (int, error) {
	if l.turn = !l.turn; l.turn {
		return 0, os.ErrDeadlineExceeded
	}
	return l.r.Read(p[:1])
}

type counter struct {
	r io.Reader
	n int
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

func TestAnswers(t *testing.T) {
	hello := string(libp2p.Hello(echoID))
	for name, tc := range map[string]struct{ answer, rest string }{
		"echo":            {hello, ""},
		"echo and a byte": {hello + "x", "x"},
		"not spoken":      {hello[:20] + "\x03na\n", "refused"},
		"another":         {string(libp2p.Hello("/synod/other/1")), "refused"},
		"no multistream":  {"HTTP/1.1 400 Bad Request\r\n", "refused"},
		"cut off":         {hello[:30], "refused"},
		"nothing":         {"", "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{
				func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader,
				func(r io.Reader) io.Reader { return &late{r: r} },
			} {
				r := &counter{r: wrap(strings.NewReader(tc.answer))}
				err := libp2p.ReadAnswer(echoID, r, func(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) })
				if tc.rest == "refused" {
					require.ErrorIs(t, err, libp2p.ErrProtocol)
					continue
				}
				require.NoError(t, err)
				require.Equal(t, len(tc.answer)-len(tc.rest), r.n) // not a byte of what follows is taken
			}
		})
	}
}

// A connection that dies before the answer says nothing about what the peer speaks, even if its error wraps an EOF.
func TestAnswerOfALostConnection(t *testing.T) {
	lost := fmt.Errorf("connection closed: %w", io.EOF)
	for n := range libp2p.Hello(echoID) {
		r := io.MultiReader(bytes.NewReader(libp2p.Hello(echoID)[:n]), iotest.ErrReader(lost))
		require.Equal(t, lost, libp2p.ReadAnswer(echoID, r, never))
	}
}

func FuzzAnswer(f *testing.F) {
	f.Add(libp2p.Hello(echoID), echoID)
	f.Add([]byte("\x13/multistream/1.0.0\n\x03na\n"), echoID)
	f.Fuzz(func(t *testing.T, answer []byte, protocol string) {
		if len(protocol) > 1000 {
			return
		}
		r := bytes.NewReader(answer)
		err := libp2p.ReadAnswer(protocol, r, never)
		if good := bytes.HasPrefix(answer, libp2p.Hello(protocol)); good != (err == nil) {
			t.Fatalf("answer %q for %q: %v", answer, protocol, err)
		}
		if taken := len(answer) - r.Len(); taken > len(libp2p.Hello(protocol)) {
			t.Fatalf("%d bytes taken", taken)
		}
	})
}
