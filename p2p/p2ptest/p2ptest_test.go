package p2ptest_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/p2ptest"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// Broken streams: each is right but for one thing.
type (
	shortRead      struct{ p2p.Stream } // loses bytes that do not fit the caller's buffer
	swallow        struct{ p2p.Stream } // says that everything was written
	noReadDeadline struct{ p2p.Stream }
	onceDeadline   struct { // a deadline that has passed stays
		p2p.Stream
		late bool
	}
	noWriteDeadline struct{ p2p.Stream }
	keepsOpen       struct{ p2p.Stream } // CloseWrite does nothing
	closesBoth      struct{ p2p.Stream } // CloseWrite ends both ways
	wrongCode       struct{ p2p.Stream }
	lastCode        struct{ p2p.Stream } // not idempotent
	noReset         struct{ p2p.Stream }
	neverGone       struct{ p2p.Stream }
	alwaysGone      struct{ p2p.Stream }
	eofAsGone       struct{ p2p.Stream }
	greedyWatch     struct{ p2p.Stream } // Watch reads, and forgets
)

func (s shortRead) Read(p []byte) (int, error) {
	b := make([]byte, len(p)+1)
	n, err := s.Stream.Read(b)
	return copy(p, b[:n]), err
}
func (s swallow) Write(p []byte) (int, error) {
	if len(p) > 1000 {
		_, err := s.Stream.Write(p[:1000])
		return len(p), err
	}
	return s.Stream.Write(p)
}
func (noReadDeadline) SetReadDeadline(time.Time) error { return nil }
func (s *onceDeadline) Read(p []byte) (int, error) {
	if s.late {
		return 0, errors.New("the deadline has passed")
	}
	n, err := s.Stream.Read(p)
	s.late = err != nil && n == 0 && !errors.Is(err, io.EOF)
	return n, err
}
func (noWriteDeadline) SetWriteDeadline(time.Time) error { return nil }
func (keepsOpen) CloseWrite() error                      { return nil }
func (s closesBoth) CloseWrite() error                   { s.Stream.Reset(0); return nil }
func (s wrongCode) Reset(p2p.Code)                       { s.Stream.Reset(1) }
func (lastCode) Reset(p2p.Code)                          {}
func (noReset) Reset(p2p.Code)                           {}
func (neverGone) Gone(*stm.Tx) error                     { return nil }
func (alwaysGone) Gone(*stm.Tx) error                    { return p2p.ErrGone }
func (s eofAsGone) Gone(tx *stm.Tx) error {
	if s.Stream.Gone(tx) != nil {
		return p2p.ErrGone
	}
	return nil
}
func (s greedyWatch) Watch() { _, _ = s.Stream.Write(nil); s.Stream.Reset(0) }

// Every broken stream fails a case: an error, or a wait for ever, which the simulator calls a deadlock.
func TestSuiteFindsBrokenStreams(t *testing.T) {
	for name, wrap := range map[string]func(p2p.Stream) p2p.Stream{
		"shortRead":       func(s p2p.Stream) p2p.Stream { return shortRead{s} },
		"swallow":         func(s p2p.Stream) p2p.Stream { return swallow{s} },
		"noReadDeadline":  func(s p2p.Stream) p2p.Stream { return noReadDeadline{s} },
		"onceDeadline":    func(s p2p.Stream) p2p.Stream { return &onceDeadline{Stream: s} },
		"noWriteDeadline": func(s p2p.Stream) p2p.Stream { return noWriteDeadline{s} },
		"keepsOpen":       func(s p2p.Stream) p2p.Stream { return keepsOpen{s} },
		"closesBoth":      func(s p2p.Stream) p2p.Stream { return closesBoth{s} },
		"wrongCode":       func(s p2p.Stream) p2p.Stream { return wrongCode{s} },
		"lastCode":        func(s p2p.Stream) p2p.Stream { return lastCode{s} },
		"noReset":         func(s p2p.Stream) p2p.Stream { return noReset{s} },
		"neverGone":       func(s p2p.Stream) p2p.Stream { return neverGone{s} },
		"alwaysGone":      func(s p2p.Stream) p2p.Stream { return alwaysGone{s} },
		"eofAsGone":       func(s p2p.Stream) p2p.Stream { return eofAsGone{s} },
		"greedyWatch":     func(s p2p.Stream) p2p.Stream { return greedyWatch{s} },
	} {
		found := ""
		for _, c := range p2ptest.StreamCases() {
			run := func(ctx context.Context) error {
				a, b := p2ptest.Pipe(ctx)
				return c.Run(ctx, wrap(a), wrap(b))
			}
			if sim.Run(1, run).Err != nil {
				found = c.Name
				break
			}
		}
		require.NotEmpty(t, found, name)
	}
}

type lax struct{ table.Empty }

func (*lax) Tag() byte              { return 0 }
func (*lax) ParseFrom([]byte) error { return nil }

type alias struct{ b []byte }

func (*alias) Tag() byte                           { return 0 }
func (m *alias) ParseFrom(b []byte) error          { m.b = b; return nil }
func (m *alias) AppendTo(b []byte) ([]byte, error) { return append(b, m.b...), nil }

// Canonical finds decoders that accept more than one encoding, or keep a part of what they are given.
func ExampleCanonical() {
	fmt.Println(p2ptest.Canonical(&lax{}, nil))
	fmt.Println(p2ptest.Canonical(&lax{}, []byte{0x80}))
	fmt.Println(p2ptest.Canonical(&alias{}, []byte{1}))
	// Output:
	// <nil>
	// p2ptest: the decoder accepts what the encoder does not give: *p2ptest_test.lax: [80] became []
	// p2ptest: the decoder accepts what the encoder does not give: *p2ptest_test.alias: [01] became [00]
}
