package libp2p

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"

	"github.com/libp2p/go-libp2p/core/network"

	"github.com/synodkit/synod/p2p"
)

// The kinds of failure. The first four are what a DialError unwraps to.
var (
	ErrAddress     = errors.New("not an address that can be dialled")
	ErrRefused     = errors.New("the peer is on our refuse list")
	ErrWrongPeer   = errors.New("another peer answered")
	ErrUnreachable = errors.New("unreachable")
	// ErrProtocol: the identifier is malformed, or the peer does not speak that protocol.
	ErrProtocol = errors.New("libp2p: protocol not spoken")
)

// DialError says why Connect failed.
type DialError struct {
	Addr string
	Kind error // ErrAddress, ErrRefused, ErrWrongPeer or ErrUnreachable
	Err  error // the detail, or nil
}

// Error is one line that names the address.
func (e *DialError) Error() string {
	msg := fmt.Sprintf("libp2p: connect %s: %v", e.Addr, e.Kind)
	if e.Err != nil {
		msg += ": " + strings.Join(strings.Fields(e.Err.Error()), " ")
	}
	return msg
}

// Unwrap gives the kind and the detail.
func (e *DialError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Err}
}

// GoneError says that a connection has ended, by whom if it was closed with a code, and why.
type GoneError struct {
	Code   p2p.Code // 0 if none was given
	Remote bool     // the code is the peer's
	Err    error    // what libp2p said, or nil
}

// Error is one line.
func (e *GoneError) Error() string {
	msg := p2p.ErrGone.Error()
	switch {
	case e.Code != 0 && e.Remote:
		msg += fmt.Sprintf(": closed by the peer: %v", e.Code)
	case e.Code != 0:
		msg += fmt.Sprintf(": closed by us: %v", e.Code)
	case e.Err != nil:
		msg += ": " + e.Err.Error()
	}
	return msg
}

// Unwrap gives p2p.ErrGone and the detail.
func (e *GoneError) Unwrap() []error {
	if e.Err == nil {
		return []error{p2p.ErrGone}
	}
	return []error{p2p.ErrGone, e.Err}
}

// Codes of libp2p's registry that are not p2p's.
const (
	codeNoProtocol p2p.Code = 0x1001
	codeLimit      p2p.Code = 0x1002
	codeGated      p2p.Code = 0x1008
)

// libp2p numbers the same reasons 0x1001..0x1009 for streams and 0x1000..0x1008 for connections.
func connCode(c p2p.Code) network.ConnErrorCode {
	if c >= 0x1001 && c <= 0x1009 {
		c--
	}
	return network.ConnErrorCode(c)
}

func codeOfConn(c network.ConnErrorCode) p2p.Code {
	if c >= 0x1000 && c <= 0x1008 {
		c++
	}
	return p2p.Code(c)
}

// ioError translates what a libp2p stream said, unless we have reset it. The order matters: a connection that died of a timeout is
// not a deadline (QUIC's says so before the connection does), and a local reset that is not ours is libp2p's, which closes a connection's
// streams so.
func ioError(conn network.Conn, err error) error {
	var (
		reset  *network.StreamError
		closed *network.ConnError
		timed  net.Error
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &reset) && reset.Remote:
		return &p2p.ResetError{Code: p2p.Code(reset.ErrorCode), Remote: true}
	case errors.As(err, &closed):
		return &GoneError{Code: codeOfConn(closed.ErrorCode), Remote: closed.Remote, Err: err}
	case errors.Is(err, network.ErrReset), errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed), conn.IsClosed():
		return &GoneError{Err: err}
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timed) && timed.Timeout():
		return os.ErrDeadlineExceeded
	}
	return fmt.Errorf("libp2p: %w", err)
}
