package p2p

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/synodkit/synod/p2p/table"
)

// Recv flushes, waits for the next message within the state's limit and moves to the state that it leads to. The message is the
// caller's to keep.
func (s *Session) Recv() (table.Message, error) {
	if s.err != nil {
		return nil, s.err
	}
	if s.at.Agency == s.role || s.at.Agency == table.Nobody {
		return nil, s.misuse("Recv by the %s, agency is with %s", s.role, s.at.Agency)
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	n, spec, err := s.head()
	if err != nil {
		return nil, err
	}
	if err := s.read(headerBytes + n); err != nil {
		return nil, err
	}
	m := spec.New()
	if err := m.ParseFrom(s.in.front()[headerBytes+1 : headerBytes+n]); err != nil {
		return nil, s.violate(s.at.Name, Garbage, fmt.Errorf("%s: %w", spec.Name, err))
	}
	if err := s.proto.Apply(s.values, spec, m); err != nil {
		return nil, s.violate(s.at.Name, Invalid, err)
	}
	s.in.drop(headerBytes + n)
	s.reprieved = false
	s.steps++
	s.before, s.at = s.at.Name, s.proto.State(spec.To)
	return m, nil
}

// head reads a frame's length and tag, and refuses each before it asks for more.
func (s *Session) head() (n int, spec *table.MessageSpec, err error) {
	if err := s.arm(); err != nil {
		return 0, nil, err
	}
	if err := s.read(headerBytes); err != nil {
		return 0, nil, err
	}
	length := binary.BigEndian.Uint32(s.in.front())
	if length == 0 || uint64(length) > uint64(s.at.BytesMax) {
		return 0, nil, s.violate(s.at.Name, Oversize, fmt.Errorf("a frame of %d bytes, of 1 to %d", length, s.at.BytesMax))
	}
	if err := s.read(headerBytes + 1); err != nil {
		return 0, nil, err
	}
	tag := s.in.front()[headerBytes]
	if spec = s.proto.Find(s.at.Name, tag); spec == nil {
		return 0, nil, s.violate(s.at.Name, WrongTag, fmt.Errorf("message %d", tag))
	}
	return int(length), spec, nil
}

// arm bounds the wait for one whole message, however slowly its bytes come. A message that is here already costs nothing.
func (s *Session) arm() error {
	if b := s.in.front(); len(b) > headerBytes && uint64(len(b)) >= headerBytes+uint64(binary.BigEndian.Uint32(b)) {
		return nil
	}
	until, renew := time.Time{}, !s.readLimit.IsZero()
	if s.at.Timeout != table.Forever {
		until, renew = s.due(s.readLimit, s.limit())
	}
	if !renew {
		return nil
	}
	s.readLimit = until
	if err := s.conn.Stream.SetReadDeadline(until); err != nil {
		return s.fail(err)
	}
	return nil
}

// read waits until need bytes are buffered.
func (s *Session) read(need int) error {
	for s.in.len() < need {
		n, err := s.conn.Stream.Read(s.in.room(need))
		s.in.filled(n)
		if err != nil && s.in.len() < need {
			if err = s.readFailed(err); err != nil {
				return err
			}
		}
	}
	return nil
}

// readFailed tells a breach from a lost connection, whose error may wrap any of the others. Nil: go on reading.
func (s *Session) readFailed(err error) error {
	switch {
	case s.cancelled() != nil, errors.Is(err, ErrGone):
		return s.fail(err)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return s.late(err)
	case errors.Is(err, io.EOF) && s.in.len() > 0:
		return s.violate(s.at.Name, Truncated, io.ErrUnexpectedEOF)
	}
	return s.fail(err)
}

// late is a message that did not come in time. Nil: it is given a last moment. What the peer had sent before it answered the probe is here then,
// so that a sleep of ours is not taken for its silence.
func (s *Session) late(err error) error {
	asked, gone := s.probe()
	switch {
	case gone != nil:
		return s.fail(gone)
	case !asked || s.reprieved:
		return s.violate(s.at.Name, Timeout, fmt.Errorf("no message within %v: %w", s.limit(), err))
	}
	s.reprieved, s.readLimit = true, s.clock.Now().Add(reprieve)
	if err := s.conn.Stream.SetReadDeadline(s.readLimit); err != nil {
		return s.fail(err)
	}
	return nil
}

// probe asks whether the peer is there, if the transport can: then gone says why not.
func (s *Session) probe() (asked bool, gone error) {
	p, ok := s.conn.Stream.(Prober)
	if !ok {
		return false, nil
	}
	if err := p.Probe(); err != nil {
		return true, err
	}
	return true, s.cancelled()
}
