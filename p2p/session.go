package p2p

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p/table"
)

// Conn is what a session is made of, and what a protocol's entry points take.
type Conn struct {
	Peer   PeerID
	Stream Stream
	Report func(ctx context.Context, v *Violation) // where violations go: a peer ledger's Report. Nil: nowhere
}

// Session is one run of a protocol over one stream. It belongs to one goroutine. Whoever makes one must Close it; any error
// ends it, is returned by every later call and has freed the stream.
type Session struct {
	conn   Conn
	proto  *table.Protocol
	role   table.Agency
	at     *table.State  // the present state
	before table.StateID // where the last message was received: what Invalid blames
	err    error         // final
	steps  uint64        // messages sent and received
	values []uint64      // of the table's Values, in its order
	share  float64       // of each state's Spread

	in         buffer
	out        []byte
	clock      env.Clock
	readLimit  time.Time // the armed deadlines; zero is none
	writeLimit time.Time
	reprieved  bool // the message that is awaited has had its last moment

	stop      func() bool // forgets the cancellation
	cancelled func() error
	report    func(*Violation)
}

var errClosed = errors.New("p2p: session closed")

// NewSession starts proto in the given role over c.Stream and binds it to ctx: cancelling ctx resets the stream. proto must be valid.
func NewSession(ctx context.Context, proto *table.Protocol, role table.Agency, c Conn) *Session {
	s := &Session{conn: c, proto: proto, role: role, clock: env.ClockOf(ctx)}
	if s.at = proto.State(proto.Initial); s.at == nil {
		panic("p2p: NewSession with a protocol that Validate refuses")
	}
	s.before = s.at.Name
	s.values = make([]uint64, len(proto.Values))
	if slices.ContainsFunc(proto.States, func(st table.State) bool { return st.Spread > 0 }) {
		s.share = env.Rand(ctx).Float64()
	}
	s.cancelled = func() error { return cancellation(ctx) }
	s.report = func(v *Violation) {
		if c.Report != nil {
			c.Report(env.WithoutCancel(ctx), v)
		}
	}
	s.stop = env.AfterFunc(ctx, func() { c.Stream.Reset(CodeShutdown) })
	return s
}

// cancellation is nil while ctx lives, then an error that unwraps to ctx's error and to its cause.
func cancellation(ctx context.Context) error {
	err := ctx.Err()
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != err {
		return fmt.Errorf("p2p: %w: %w", err, cause)
	}
	return fmt.Errorf("p2p: %w", err)
}

// State is the present state.
func (s *Session) State() table.StateID { return s.at.Name }

// limit is how long a message may take in the present state.
func (s *Session) limit() time.Duration {
	return s.at.Timeout + time.Duration(s.share*float64(s.at.Spread))
}

// Peer is the other side.
func (s *Session) Peer() PeerID { return s.conn.Peer }

// Invalid ends the session because what the last received message means is wrong: a violation of kind Invalid, in the state where
// it was received. It returns the session's final error.
func (s *Session) Invalid(why error) error { return s.violate(s.before, Invalid, why) }

// Close ends the session in order: what was sent is flushed, our half closed, and the peer's end awaited for up to limit;
// failing that the stream is reset. Nil if the peer has ended too; the session's final error if it had one. Bytes after the
// protocol's last message are a violation.
func (s *Session) Close(limit time.Duration) error {
	defer s.stop()
	if s.err != nil {
		if s.err == errClosed {
			return nil
		}
		return s.err
	}
	if err := s.cancelled(); err != nil {
		return s.fail(err)
	}
	if err := s.flush(); err != nil {
		return err
	}
	if err := s.conn.Stream.CloseWrite(); err != nil {
		return s.fail(err)
	}
	if err := s.conn.Stream.SetReadDeadline(s.clock.Now().Add(limit)); err != nil {
		return s.fail(err)
	}
	if s.in.len() == 0 {
		n, err := s.conn.Stream.Read(s.in.room(1))
		switch {
		case n == 0 && err == io.EOF:
			s.end(errClosed)
			return nil
		case n == 0:
			return s.fail(fmt.Errorf("p2p: %s: waiting for the peer's end: %w", s.proto.Name, err))
		}
	}
	if s.at.Agency == table.Nobody {
		return s.violate(s.at.Name, OutOfAgency, errors.New("bytes after the last message"))
	}
	return s.fail(fmt.Errorf("p2p: %s: closed in state %s while the peer was sending", s.proto.Name, s.at.Name))
}

// end makes err final and frees the stream.
func (s *Session) end(err error) error {
	s.err = err
	s.stop()
	s.conn.Stream.Reset(CodeShutdown)
	s.in, s.out = buffer{}, nil
	return err
}

// fail ends the session by an error that is nobody's breach; a cancellation explains every other.
func (s *Session) fail(err error) error {
	if s.err != nil {
		return s.err
	}
	if c := s.cancelled(); c != nil {
		err = c
	}
	return s.end(err)
}

// violate ends the session by the peer's fault: the peer is told, then the ledger.
func (s *Session) violate(state table.StateID, kind ViolationKind, why error) error {
	if s.err != nil {
		return s.err
	}
	v := &Violation{Peer: s.conn.Peer, Protocol: s.proto.Name, State: state, Kind: kind, Err: why}
	s.conn.Stream.Reset(CodeViolation)
	s.end(v)
	s.report(v)
	return v
}

// misuse ends the session by our own fault: a bug of the caller must not look like the peer's, nor stop the process.
func (s *Session) misuse(format string, args ...any) error {
	return s.fail(fmt.Errorf("p2p: %s/%s: %w", s.proto.Name, s.at.Name, fmt.Errorf(format, args...)))
}
