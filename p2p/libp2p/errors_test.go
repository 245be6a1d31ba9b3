package libp2p

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
)

type stubConn struct {
	network.Conn
	closed bool
}

func (c stubConn) IsClosed() bool { return c.closed }

// idle is what QUIC's streams are told when their connection has timed out: before the connection says that it is closed.
type idle struct{}

func (idle) Error() string { return "no recent network activity" }
func (idle) Timeout() bool { return true }
func (idle) Unwrap() error { return net.ErrClosed }

// deadline is yamux's.
type deadline struct{ error }

func (deadline) Timeout() bool   { return true }
func (deadline) Temporary() bool { return true }
func (idle) Temporary() bool     { return false }

// A connection that has died is not a deadline that has passed: who keeps a time limit would blame the peer.
func TestIOErrors(t *testing.T) {
	died := fmt.Errorf("%w: connection closed: %w", network.ErrReset, io.EOF)
	for _, c := range []struct {
		name   string
		err    error
		closed bool
		want   error
	}{
		{"QUIC's idle timeout", idle{}, false, p2p.ErrGone},
		{"and once the connection says so", idle{}, true, p2p.ErrGone},
		{"a deadline", deadline{errors.New("i/o deadline reached")}, false, os.ErrDeadlineExceeded},
		{"another", fmt.Errorf("read: %w", os.ErrDeadlineExceeded), false, os.ErrDeadlineExceeded},
		{"a deadline of a closed connection", os.ErrDeadlineExceeded, true, p2p.ErrGone},
		{"the process of the peer has died", died, false, p2p.ErrGone},
		{"reset by peer", errors.New("connection reset by peer"), true, p2p.ErrGone},
		{"closed with a code", &network.ConnError{Remote: true, ErrorCode: 0x1003}, false, p2p.ErrGone},
	} {
		t.Run(c.name, func(t *testing.T) {
			require.ErrorIs(t, ioError(stubConn{closed: c.closed}, c.err), c.want)
		})
	}
	var reset *p2p.ResetError
	require.ErrorAs(t, ioError(stubConn{}, &network.StreamError{Remote: true, ErrorCode: 0x1004}), &reset)
	require.Equal(t, p2p.CodeViolation, reset.Code)
}
