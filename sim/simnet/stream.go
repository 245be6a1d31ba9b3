package simnet

import (
	"errors"
	"io"
	"os"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// Stream is one end of a stream on a [Link].
type Stream struct {
	link    *Link
	in, out *half
	peer    *Stream

	readBy, writeBy *stm.Var[time.Time]
	reset           *stm.Var[*p2p.ResetError] // by this end
	remote          *stm.Var[*arrival]        // by the other, once it arrives
}

type arrival struct {
	err *p2p.ResetError
	at  time.Time
}

var errWriteClosed = errors.New("simnet: write after CloseWrite")

func newStream(l *Link, in, out *half) *Stream {
	return &Stream{
		link: l, in: in, out: out, readBy: stm.NewVar(time.Time{}), writeBy: stm.NewVar(time.Time{}),
		reset: stm.NewVar[*p2p.ResetError](nil), remote: stm.NewVar[*arrival](nil),
	}
}

// dead is the error that ends the stream by force, or nil.
func (s *Stream) dead(tx *stm.Tx) error {
	if e := s.reset.Get(tx); e != nil {
		return e
	}
	if a := s.remote.Get(tx); a != nil && !s.in.way.clogged(tx) && s.link.world.reached(tx, a.at) {
		return a.err
	}
	if s.link.Down(tx) {
		return p2p.ErrGone
	}
	return nil
}

func overdue(tx *stm.Tx, by *stm.Var[time.Time]) bool {
	at := by.Get(tx)
	return !at.IsZero() && env.Reached(tx, at)
}

// Read implements p2p.Stream.
func (s *Stream) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	failed := s.link.world.do(func(tx *stm.Tx) error {
		n, err = 0, nil
		if err = s.dead(tx); err != nil {
			return nil
		}
		got, ok := s.in.take(tx, p, &s.link.world)
		switch {
		case got > 0:
			n = got
		case ok:
			err = io.EOF
		case overdue(tx, s.readBy):
			err = os.ErrDeadlineExceeded
		default:
			return stm.ErrRetry
		}
		return nil
	})
	return n, first(err, failed)
}

// Write implements p2p.Stream.
func (s *Stream) Write(p []byte) (int, error) {
	for done := 0; ; {
		n, err := s.write(p[done:])
		done += n
		if err != nil || done == len(p) {
			return done, err
		}
	}
}

// write sends what the window has room for, at least one byte.
func (s *Stream) write(p []byte) (n int, err error) {
	delay := s.link.delay()
	failed := s.link.world.do(func(tx *stm.Tx) error {
		n, err = 0, nil
		if err = s.dead(tx); err != nil {
			return nil
		}
		if s.out.eof.Get(tx) {
			err = errWriteClosed
			return nil
		}
		room := min(s.link.cfg.WindowBytes-s.out.used.Get(tx), len(p))
		if room > 0 {
			room = s.out.way.line.fits(tx, room, &s.link.world)
		}
		switch {
		case len(p) == 0:
		case room > 0:
			n = room
			s.out.put(tx, slices.Clone(p[:n]), delay, &s.link.world)
		case overdue(tx, s.writeBy):
			err = os.ErrDeadlineExceeded
		default:
			return stm.ErrRetry
		}
		return nil
	})
	return n, first(err, failed)
}

// SetReadDeadline implements p2p.Stream.
func (s *Stream) SetReadDeadline(t time.Time) error { return s.set(s.readBy, t) }

// SetWriteDeadline implements p2p.Stream.
func (s *Stream) SetWriteDeadline(t time.Time) error { return s.set(s.writeBy, t) }

func (s *Stream) set(by *stm.Var[time.Time], t time.Time) error {
	return s.link.world.do(func(tx *stm.Tx) error { by.Set(tx, t); return nil })
}

// CloseWrite implements p2p.Stream.
func (s *Stream) CloseWrite() (err error) {
	delay := s.link.delay()
	failed := s.link.world.do(func(tx *stm.Tx) error {
		if err = s.dead(tx); err == nil && !s.out.eof.Get(tx) {
			s.out.put(tx, nil, delay, &s.link.world)
		}
		return nil
	})
	return first(err, failed)
}

// Reset implements p2p.Stream.
func (s *Stream) Reset(code p2p.Code) {
	delay := s.link.delay()
	_ = s.link.world.do(func(tx *stm.Tx) error { // cannot fail: it never waits, and its context is never cancelled
		if s.reset.Get(tx) != nil {
			return nil
		}
		over := s.out.eof.Get(tx) && s.in.ended(tx, &s.link.world)
		s.reset.Set(tx, &p2p.ResetError{Code: code})
		if !over && s.peer.remote.Get(tx) == nil {
			at := s.link.world.now(tx).Add(delay)
			s.peer.remote.Set(tx, &arrival{&p2p.ResetError{Code: code, Remote: true}, at})
		}
		return nil
	})
}

// Watch implements p2p.Stream: Gone reports everything anyway.
func (s *Stream) Watch() {}

// Gone implements p2p.Stream.
func (s *Stream) Gone(tx *stm.Tx) error {
	if err := s.dead(tx); err != nil {
		return err
	}
	if s.in.ended(tx, &s.link.world) {
		return io.EOF
	}
	return nil
}

// first is the stream's error as it is, else the world's.
func first(err, failed error) error {
	if err != nil {
		return err
	}
	return failed
}
