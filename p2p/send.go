package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/synodkit/synod/p2p/table"
)

const (
	headerBytes     = 4        // the length in front of a frame
	outBytesMax     = 32 << 10 // flushed above this even without a wait
	outBytesKeep    = 64 << 10 // an empty buffer above this is let go
	writeTimeout    = 30 * time.Second
	reprieve        = 100 * time.Millisecond // what a late message gets once its sender has proven that it is there
	limitSlack      = 4                      // a limit is armed for 1+1/limitSlack times its length, and renewed once that slack is used up
	errBytesWaiting = "the peer sent %d bytes while we have agency"
)

// Send appends m to what will be written before the next wait, and moves to the state that m leads to. Sending what the state
// forbids is the caller's bug: an error that ends the session.
func (s *Session) Send(m table.Message) error {
	if s.err != nil {
		return s.err
	}
	if s.at.Agency != s.role {
		return s.misuse("Send of %T by the %s, agency is with %s", m, s.role, s.at.Agency)
	}
	spec := s.proto.Find(s.at.Name, m.Tag())
	if spec == nil {
		return s.misuse("Send of %T, tag %d, which the state forbids", m, m.Tag())
	}
	if err := s.quiet(); err != nil {
		return err
	}
	if err := s.proto.Apply(s.values, spec, m); err != nil {
		return s.misuse("Send of %T: %w", m, err)
	}
	if err := s.append(m); err != nil {
		return err
	}
	s.steps++
	s.at = s.proto.State(spec.To)
	if len(s.out) > outBytesMax {
		return s.flush()
	}
	return nil
}

func (s *Session) append(m table.Message) error {
	start := len(s.out)
	b, err := m.AppendTo(append(s.out, 0, 0, 0, 0, m.Tag()))
	if err != nil {
		return s.misuse("encoding %T: %w", m, err)
	}
	n := len(b) - start - headerBytes
	if n > s.at.BytesMax {
		return s.misuse("Send of %T: a frame of %d bytes, at most %d", m, n, s.at.BytesMax)
	}
	binary.BigEndian.PutUint32(b[start:], uint32(n))
	s.out = b
	return nil
}

// quiet checks that the peer has not spoken while we have agency, as far as its bytes have been read.
func (s *Session) quiet() error {
	if n := s.in.len(); n > 0 && s.at.Agency == s.role {
		return s.violate(s.at.Name, OutOfAgency, fmt.Errorf(errBytesWaiting, n))
	}
	return nil
}

// flush writes what was sent.
func (s *Session) flush() error {
	if len(s.out) == 0 {
		return nil
	}
	if until, renew := s.due(s.writeLimit, writeTimeout); renew {
		s.writeLimit = until
		if err := s.conn.Stream.SetWriteDeadline(until); err != nil {
			return s.fail(err)
		}
	}
	_, err := s.conn.Stream.Write(s.out)
	s.out = s.out[:0]
	if cap(s.out) > outBytesKeep {
		s.out = nil
	}
	switch {
	case err == nil:
		return nil
	case s.cancelled() == nil && !errors.Is(err, ErrGone) && errors.Is(err, os.ErrDeadlineExceeded):
		if _, gone := s.probe(); gone != nil {
			return s.fail(gone)
		}
		return s.violate(s.at.Name, Stalled, fmt.Errorf("nothing read for %v: %w", writeTimeout, err))
	}
	return s.fail(err)
}

// due says whether a deadline for limit from now must be armed anew, given the one that is, and for when: lazily, so that the
// common message arms none.
func (s *Session) due(armed time.Time, limit time.Duration) (until time.Time, renew bool) {
	now := s.clock.Now()
	slack := limit / limitSlack
	if left := armed.Sub(now); !armed.IsZero() && left >= limit && left <= limit+slack {
		return armed, false
	}
	return now.Add(limit + slack), true
}
