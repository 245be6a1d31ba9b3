package gen_test

import (
	"time"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// answering is a stream that costs nothing: every write makes the same answer readable.
type answering struct{ answer, left []byte }

func (s *answering) Write(p []byte) (int, error) { s.left = s.answer; return len(p), nil }
func (s *answering) Read(p []byte) (int, error) {
	n := copy(p, s.left)
	s.left = s.left[n:]
	return n, nil
}
func (*answering) SetReadDeadline(time.Time) error  { return nil }
func (*answering) SetWriteDeadline(time.Time) error { return nil }
func (*answering) CloseWrite() error                { return nil }
func (*answering) Reset(p2p.Code)                   {}
func (*answering) Watch()                           {}
func (*answering) Gone(*stm.Tx) error               { return nil }
