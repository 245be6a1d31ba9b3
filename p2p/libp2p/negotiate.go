package libp2p

import (
	"fmt"
	"io"
)

const multistream = "/multistream/1.0.0"

// token is one line of multistream-select: a length that counts the newline (one byte is enough below 128, two above), and the line.
func token(s string) string {
	n := len(s) + 1
	if n < 0x80 {
		return string([]byte{byte(n)}) + s + "\n"
	}
	return string([]byte{byte(n) | 0x80, byte(n >> 7)}) + s + "\n"
}

// answer is what the peer must still say to our choice of protocol: our own two lines, echoed. It can be interrupted
// by a deadline at any byte and resumed, which multistream's own lazy client cannot.
type answer struct {
	protocol string
	want     string // the whole answer; empty on the side that was chosen for
	got      int
}

func propose(protocol string) (hello []byte, a answer) {
	a = answer{protocol: protocol, want: token(multistream) + token(protocol)}
	return []byte(a.want), a
}

// read consumes the rest of the answer. It never reads beyond it.
func (a *answer) read(r io.Reader) error {
	var buf [64]byte
	for a.got < len(a.want) {
		n, err := r.Read(buf[:min(len(buf), len(a.want)-a.got)])
		if string(buf[:n]) != a.want[a.got:a.got+n] {
			return fmt.Errorf("%w: %s", ErrProtocol, a.protocol)
		}
		a.got += n
		switch {
		case a.got == len(a.want): // an error is met again by the next read
		case err == io.EOF: // a lost connection's error may wrap it
			return fmt.Errorf("%w: %s: the peer closed instead of answering", ErrProtocol, a.protocol)
		case err != nil:
			return err
		}
	}
	return nil
}
