package libp2p_test

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

func TestConnectedAndDisconnect(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			connected(t, ctx, a)
			sa, sb := pair(t, ctx, a, b)
			connected(t, ctx, a, b.Self())
			connected(t, ctx, b, a.Self())
			a.Disconnect(b.Self(), p2p.CodeViolation)
			connected(t, ctx, a) // at once
			var ours, theirs *libp2p.GoneError
			require.True(t, errors.As(gone(t, ctx, sa), &ours))
			require.Equal(t, p2p.CodeViolation, ours.Code)
			require.False(t, ours.Remote)
			connected(t, ctx, b)
			_, err := sb.Read(make([]byte, 1))
			require.True(t, errors.As(err, &theirs), "%v", err)
			_, err = a.Open(ctx, b.Self(), echoID)
			require.ErrorIs(t, err, p2p.ErrGone)
			pair(t, ctx, a, b) // and again, once the old connection is closed
		})
	})
}

func TestConnectErrors(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := l.Addr().(*net.TCPAddr).Port
	require.NoError(t, l.Close())
	scope(t, func(ctx context.Context, s *registry.Scope) {
		b := newNode(t, s, libp2p.HostConfig{Key: key(2)}, libp2p.Config{})
		c := newNode(t, s, libp2p.HostConfig{Key: key(3)}, libp2p.Config{})
		refuse := func(p p2p.PeerID) bool { return p == c.Self() }
		a := newNode(t, s, libp2p.HostConfig{Key: key(1), Refuse: refuse}, libp2p.Config{Refuse: refuse})
		bare := a.host.Network().ListenAddresses()[0].String()
		for name, tc := range map[string]struct {
			addr string
			kind error
		}{
			"garbage":     {"nowhere", libp2p.ErrAddress},
			"no identity": {bare, libp2p.ErrAddress},
			"no address":  {"/p2p/" + string(b.Self()), libp2p.ErrAddress},
			"ourselves":   {a.addr, libp2p.ErrAddress},
			"refused":     {c.addr, libp2p.ErrRefused},
			"wrong peer":  {b.host.Network().ListenAddresses()[0].String() + "/p2p/" + string(newID(t)), libp2p.ErrWrongPeer},
			"port closed": {tcpAddr(free) + "/p2p/" + string(b.Self()), libp2p.ErrUnreachable},
			"other stack": {"/ip4/127.0.0.1/udp/1/quic-v1/p2p/" + string(b.Self()), libp2p.ErrUnreachable},
		} {
			t.Run(name, func(t *testing.T) {
				_, err := a.Connect(ctx, tc.addr)
				var dial *libp2p.DialError
				require.True(t, errors.As(err, &dial), "%v", err)
				require.ErrorIs(t, err, tc.kind)
				require.NotContains(t, err.Error(), "\n")
				require.Contains(t, err.Error(), tc.addr)
			})
		}
		_, err := a.Connect(ctx, tcpAddr(free)+"/p2p/"+string(b.Self()))
		require.ErrorIs(t, err, libp2p.ErrUnreachable) // again at once: no back-off between us and the address
		_, err = a.Connect(ctx, b.addr)
		require.NoError(t, err)
		_, err = c.Connect(ctx, a.addr) // a refuses what c opens; c may see its own side of it for a moment
		_ = err
		connected(t, ctx, c)
		connected(t, ctx, a, b.Self())
	})
}

func TestPortInUse(t *testing.T) {
	for tr, listen := range map[libp2p.Transport]func(t *testing.T) (string, string){
		libp2p.TCP: func(t *testing.T) (string, string) {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, l.Close()) })
			return tcpAddr(l.Addr().(*net.TCPAddr).Port), l.Addr().String()
		},
		libp2p.QUIC: func(t *testing.T) (string, string) {
			l, err := net.ListenPacket("udp4", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { require.NoError(t, l.Close()) })
			return udpAddr(l.LocalAddr().(*net.UDPAddr).Port), l.LocalAddr().String()
		},
	} {
		t.Run(string(tr), func(t *testing.T) {
			addr, port := listen(t)
			_, err := libp2p.NewHost(libp2p.HostConfig{Key: key(1), Transport: tr, Listen: addr})
			require.ErrorIs(t, err, syscall.EADDRINUSE)
			require.ErrorContains(t, err, port+" is in use")
		})
	}
	h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(1)}) // nor may two of ours share one
	require.NoError(t, err)
	defer h.Close()
	_, err = libp2p.NewHost(libp2p.HostConfig{Key: key(2), Listen: h.Network().ListenAddresses()[0].String()})
	require.ErrorIs(t, err, syscall.EADDRINUSE)
}

func TestConfigErrors(t *testing.T) {
	for field, cfg := range map[string]libp2p.HostConfig{
		"Key":       {},
		"PeersMax":  {Key: key(1), PeersMax: -1},
		"Transport": {Key: key(1), Transport: "pigeon"},
		"Listen":    {Key: key(1), Listen: "127.0.0.1:80"},
		"Listen: ":  {Key: key(1), Listen: "/ip4/127.0.0.1/udp/0/quic-v1"},
	} {
		_, err := libp2p.NewHost(cfg)
		require.ErrorContains(t, err, "HostConfig."+field)
	}
	scope(t, func(_ context.Context, s *registry.Scope) {
		for _, cfg := range []libp2p.Config{{Protocols: []string{"echo"}}, {Protocols: []string{"/a\n"}}, {QueueMax: -1}} {
			_, err := libp2p.Bind(s, nil, cfg)
			require.ErrorContains(t, err, "Config.")
		}
	})
}

func TestProtocolNotSpoken(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			id, err := a.Connect(ctx, b.addr)
			require.NoError(t, err)
			_, err = a.Open(ctx, id, "garbage\x00")
			require.ErrorIs(t, err, libp2p.ErrProtocol)
			s, err := a.Open(ctx, id, "/synod/unknown/7")
			require.NoError(t, err)
			_, err = s.Read(make([]byte, 1))
			require.ErrorIs(t, err, libp2p.ErrProtocol)
			require.ErrorContains(t, err, "/synod/unknown/7")
			s.Reset(0)
			s, err = a.Open(ctx, id, "/synod/unknown/7")
			require.NoError(t, err)
			s.Watch()
			require.ErrorIs(t, gone(t, ctx, s), libp2p.ErrProtocol)
			s.Reset(0)
		})
	})
}

func TestQueueIsBoundedAPeer(t *testing.T) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		b := newNode(t, s, libp2p.HostConfig{Key: key(2)}, libp2p.Config{QueuePeerMax: 3})
		a := newNode(t, s, libp2p.HostConfig{Key: key(1)}, libp2p.Config{})
		c := newNode(t, s, libp2p.HostConfig{Key: key(3)}, libp2p.Config{})
		for _, n := range []node{a, c} {
			_, err := n.Connect(ctx, b.addr)
			require.NoError(t, err)
		}
		for range 10 { // a floods
			_, err := a.Open(ctx, b.Self(), echoID)
			require.NoError(t, err)
		}
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(b.Dropped(tx) == 7); return nil }))
		_, err := c.Open(ctx, b.Self(), echoID) // c is served all the same
		require.NoError(t, err)
		from := map[p2p.PeerID]int{}
		for range 4 {
			in, err := b.Accept(ctx)
			require.NoError(t, err)
			from[in.Peer]++
			in.Stream.Reset(0)
		}
		require.Equal(t, map[p2p.PeerID]int{a.Self(): 3, c.Self(): 1}, from)
	})
}

func TestQueueIsBoundedInAll(t *testing.T) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		b := newNode(t, s, libp2p.HostConfig{Key: key(2)}, libp2p.Config{QueueMax: 3, QueuePeerMax: 2})
		for i := range byte(3) {
			n := newNode(t, s, libp2p.HostConfig{Key: key(10 + i)}, libp2p.Config{})
			id := mustConnect(t, ctx, n, b)
			for range 2 {
				_, err := n.Open(ctx, id, echoID)
				require.NoError(t, err)
			}
		}
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(b.Dropped(tx) == 3); return nil }))
	})
}

// Who is behind in freeing streams of a connection is given no more of them, and others are served meanwhile.
func TestAConnectionThatIsBehindWaits(t *testing.T) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		a := newNode(t, s, libp2p.HostConfig{Key: key(1)}, libp2p.Config{})
		b := newNode(t, s, libp2p.HostConfig{Key: key(2)}, libp2p.Config{})
		c := newNode(t, s, libp2p.HostConfig{Key: key(3)}, libp2p.Config{})
		mustConnect(t, ctx, a, b)
		mustConnect(t, ctx, c, b)
		connected(t, ctx, b, sorted(a.Self(), c.Self())...)
		release := b.Hold(ctx, a.Self())
		defer release()
		_, err := a.Open(ctx, b.Self(), echoID)
		require.NoError(t, err)
		_, err = c.Open(ctx, b.Self(), echoID)
		require.NoError(t, err)
		in, err := b.Accept(ctx) // a's came first, c's is given
		require.NoError(t, err)
		require.Equal(t, c.Self(), in.Peer)
		short, cancel := env.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		_, err = b.Open(short, a.Self(), echoID)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		_, err = b.Accept(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		release()
		in, err = b.Accept(ctx)
		require.NoError(t, err)
		require.Equal(t, a.Self(), in.Peer)
		_, err = b.Open(ctx, a.Self(), echoID)
		require.NoError(t, err)
	})
}

// libp2p's callbacks may tell of a connection's beginning after its end.
func TestAConnectionReportedTooLate(t *testing.T) {
	two(t, libp2p.TCP, func(ctx context.Context, _ *registry.Scope, a, b node) {
		mustConnect(t, ctx, a, b)
		conn := a.host.Network().Conns()[0]
		a.Disconnect(b.Self(), p2p.CodeShutdown)
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(a.Links(tx, b.Self()) == 0); return nil }))
		a.Add(conn)
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { require.Zero(t, a.Links(tx, b.Self())); return nil }))
		connected(t, ctx, a)
	})
}

// What a lost connection has left in the queue takes nobody's place.
func TestTheQueueForgetsLostConnections(t *testing.T) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		a := newNode(t, s, libp2p.HostConfig{Key: key(1)}, libp2p.Config{})
		b := newNode(t, s, libp2p.HostConfig{Key: key(2)}, libp2p.Config{QueuePeerMax: 1})
		for range 3 {
			_, err := a.Open(ctx, mustConnect(t, ctx, a, b), echoID)
			require.NoError(t, err)
			settle(t, func() bool { return b.Queued(ctx) == 1 })
			a.Disconnect(b.Self(), p2p.CodeShutdown)
			settle(t, func() bool { return b.Queued(ctx) == 0 })
		}
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { require.Zero(t, b.Dropped(tx)); return nil }))
	})
}
