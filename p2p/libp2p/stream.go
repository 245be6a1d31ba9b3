package libp2p

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/stm"
)

// stream is a p2p.Stream over a libp2p stream. It ends exactly once, by Reset or with its link; whatever libp2p may
// block on then is left to the link's task.
type stream struct {
	raw    network.Stream
	link   *link
	end    atomic.Pointer[error] // why it ended; set once
	ended  *stm.Var[error]       // what Gone says of this stream: its end, or what the pump met
	closed atomic.Bool           // CloseWrite was called
	eof    atomic.Bool           // the peer's end was read
	pump   pump
}

var _ p2p.Stream = (*stream)(nil)

func newStream(l *link, raw network.Stream, a answer) (*stream, error) {
	s := &stream{raw: raw, link: l, ended: stm.NewVar[error](nil)}
	s.pump.init(s, a)
	if !l.adopt(s) {
		_ = raw.ResetWithError(network.StreamErrorCode(p2p.CodeShutdown))
		return nil, &GoneError{}
	}
	return s, nil
}

// Read implements p2p.Stream.
func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 0 || s.end.Load() != nil {
		return 0, s.why(nil)
	}
	n, err := s.pump.read(p)
	if n > 0 {
		return n, nil // an error that came with bytes is met again by the next Read
	}
	return 0, s.why(err)
}

// Write implements p2p.Stream.
func (s *stream) Write(p []byte) (int, error) {
	if s.end.Load() != nil {
		return 0, s.why(nil)
	}
	if s.closed.Load() {
		return 0, fmt.Errorf("libp2p: Write after CloseWrite: %w", io.ErrClosedPipe)
	}
	n, err := s.raw.Write(p)
	if err != nil {
		return n, s.why(ioError(s.raw.Conn(), err))
	}
	return n, nil
}

// why prefers the stream's own end over what libp2p made of it.
func (s *stream) why(err error) error {
	if end := s.end.Load(); end != nil {
		return *end
	}
	return err
}

// SetReadDeadline implements p2p.Stream.
func (s *stream) SetReadDeadline(t time.Time) error { return s.pump.setDeadline(t) }

// SetWriteDeadline implements p2p.Stream.
func (s *stream) SetWriteDeadline(t time.Time) error {
	s.pump.mu.Lock() // orders it against finish, whose deadline must be the last
	defer s.pump.mu.Unlock()
	if s.end.Load() != nil {
		return nil
	}
	return s.raw.SetWriteDeadline(t)
}

// CloseWrite implements p2p.Stream. The link's task sends it, after all that was written.
func (s *stream) CloseWrite() error {
	if s.end.Load() != nil {
		return s.why(nil)
	}
	if !s.closed.Swap(true) {
		s.link.enqueue(func() { _ = s.raw.CloseWrite() })
	}
	return nil
}

// Reset implements p2p.Stream.
func (s *stream) Reset(code p2p.Code) { s.finish(&p2p.ResetError{Code: code}, code) }

// finish ends the stream for the first reason given. Local readers and writers are let go at once, by a deadline in the
// past, which never blocks; the rest may block and is the link's task's.
func (s *stream) finish(why error, code p2p.Code) {
	if !s.end.CompareAndSwap(nil, &why) {
		return
	}
	s.pump.stop()
	s.publish(why)
	s.link.enqueue(func() {
		if s.closed.Load() && s.eof.Load() {
			_ = s.raw.Close() // frees only; over QUIC a reset would still take back what is not yet acknowledged
		} else {
			_ = s.raw.ResetWithError(network.StreamErrorCode(code))
		}
		s.link.forget(s)
	})
}

// publish makes Gone report err; the first one counts.
func (s *stream) publish(err error) {
	_ = stm.Do(context.Background(), func(tx *stm.Tx) error { // real world by nature; cannot wait
		if s.ended.Get(tx) == nil {
			s.ended.Set(tx, err)
		}
		return nil
	})
}

// Watch implements p2p.Stream.
func (s *stream) Watch() { s.pump.watch() }

// Gone implements p2p.Stream.
func (s *stream) Gone(tx *stm.Tx) error {
	if err := s.ended.Get(tx); err != nil {
		return err
	}
	return s.link.gone.Get(tx)
}
