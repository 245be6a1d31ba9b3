package replica

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// eager is a listener to which somebody always connects.
type eager struct {
	net.Listener
	accepted int
	closed   int
}

func (e *eager) Accept() (net.Conn, error) {
	e.accepted++
	a, b := net.Pipe()
	return a, b.Close()
}

func (e *eager) Close() error { e.closed++; return nil }

// TestBounded: no more connections than places; one that is closed, even twice, gives back one place; closing ends who waits for one.
func TestBounded(t *testing.T) {
	under := &eager{}
	b := &bounded{Listener: under, free: make(chan struct{}, 2), closed: make(chan struct{})}
	first, err := b.Accept()
	require.NoError(t, err)
	_, err = b.Accept()
	require.NoError(t, err)
	require.NoError(t, first.Close())
	_ = first.Close()
	_, err = b.Accept()
	require.NoError(t, err)

	waiting := make(chan error)
	go func() { _, err := b.Accept(); waiting <- err }()
	require.NoError(t, b.Close())
	require.ErrorIs(t, <-waiting, net.ErrClosed)
	require.NoError(t, b.Close())
	require.Equal(t, 3, under.accepted)
}
