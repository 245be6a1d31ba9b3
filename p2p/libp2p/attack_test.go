package libp2p_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// raw connects a's host to n below our network, as an adversary would.
func raw(t testing.TB, ctx context.Context, a, n node) network.Conn {
	m, err := ma.NewMultiaddr(n.addr)
	require.NoError(t, err)
	info, err := peer.AddrInfoFromP2pAddr(m)
	require.NoError(t, err)
	a.host.Peerstore().AddAddrs(info.ID, info.Addrs, time.Hour)
	conn, err := a.host.Network().DialPeer(ctx, info.ID)
	require.NoError(t, err)
	return conn
}

// A peer opens streams and says nothing. It fills its own share, is cut off when the time to choose a protocol is over, and meanwhile others are served.
func TestHalfOpenStreams(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, StreamsPeerMax: 16, NegotiateTimeout: time.Second}, libp2p.Config{})
			evil := newNode(t, s, libp2p.HostConfig{Key: key(3), Transport: tr, StreamsPeerMax: 1000}, libp2p.Config{})
			good := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			conn := raw(t, ctx, evil, b)
			var open []network.Stream
			for i := range 100 {
				st, err := conn.NewStream(ctx)
				require.NoError(t, err)
				_, _ = st.Write([]byte("\x13/multistream/")[:1+i%10]) // some do not even say that much
				open = append(open, st)
			}
			sa, sb := pair(t, ctx, good, b)
			write(t, sa, "served")
			read(t, sb, "served")
			for _, st := range open { // all are ended by b
				_, err := io.Copy(io.Discard, st)
				require.Error(t, err)
				_ = st.Reset()
			}
			settle(t, func() bool { return holds(t, b).NumStreamsInbound <= 3 }) // the good one's, and identify
			connected(t, ctx, b, sorted(good.Self(), evil.Self())...)
		})
	})
}

// A peer opens and resets without end, and speaks garbage. It starves nobody, and nothing of it is left.
func TestFloodOfStreams(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr}, libp2p.Config{QueuePeerMax: 4})
			evil := newNode(t, s, libp2p.HostConfig{Key: key(3), Transport: tr, StreamsPeerMax: 1000}, libp2p.Config{})
			good := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			conn := raw(t, ctx, evil, b)
			before := heap()
			flood(t, ctx, conn, 2000)
			sa, err := good.Open(ctx, mustConnect(t, ctx, good, b), echoID)
			require.NoError(t, err)
			write(t, sa, "served")
			for {
				in, err := b.Accept(ctx)
				require.NoError(t, err)
				if in.Peer == good.Self() {
					read(t, in.Stream, "served")
					in.Stream.Reset(0)
					break
				}
				in.Stream.Reset(p2p.CodeViolation)
			}
			b.Disconnect(evil.Self(), p2p.CodeViolation)
			connected(t, ctx, b, good.Self())
			settle(t, func() bool {
				left, err := stm.Query(ctx, func(tx *stm.Tx) int { return b.Links(tx, evil.Self()) })
				require.NoError(t, err)
				return left == 0 && holds(t, b).NumStreamsInbound <= 2
			})
			settle(t, func() bool { return heap() < before+8<<20 })
		})
	})
}

func flood(t testing.TB, ctx context.Context, conn network.Conn, streams int) {
	for i := range streams {
		st, err := conn.NewStream(ctx)
		require.NoError(t, err)
		switch i % 4 {
		case 0:
			_, _ = st.Write(libp2p.Hello(echoID))
		case 1:
			_, _ = st.Write(libp2p.Hello("/nobody/1"))
		case 2:
			_, _ = st.Write([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"))
		}
		_ = st.Reset()
	}
}

// Many identities connect. They fill what room there is and no more; who is connected does not notice, and when they have left others come in again.
func TestFloodOfConnections(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			const peersMax = 4
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, PeersMax: peersMax}, libp2p.Config{})
			old := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			sa, sb := pair(t, ctx, old, b)
			scope(t, func(_ context.Context, s *registry.Scope) {
				var crowd []node
				for i := range byte(6 * peersMax) {
					n := newNode(t, s, libp2p.HostConfig{Key: key(10 + i), Transport: tr}, libp2p.Config{})
					crowd = append(crowd, n)
					_, _ = n.Connect(ctx, b.addr) // its side may be told of the refusal later
					require.LessOrEqual(t, holds(t, b).NumConnsInbound, 2*peersMax)
				}
				settle(t, func() bool {
					in := 0
					for _, n := range crowd {
						in += len(n.Conns(ctx, b.Self()))
					}
					return in <= 2*peersMax
				})
				write(t, sa, "served")
				read(t, sb, "served")
			})
			young := newNode(t, s, libp2p.HostConfig{Key: key(3), Transport: tr}, libp2p.Config{})
			settle(t, func() bool { _, err := young.Connect(ctx, b.addr); return err == nil })
			connected(t, ctx, b, sorted(old.Self(), young.Self())...)
			settle(t, func() bool { return holds(t, b).NumConnsInbound == 2 })
		})
	})
}

// Strangers connect and say nothing, or garbage. They fill what room there is for connections without a name, until their time is over; peers that are
// connected do not notice, and others come in again after.
func TestStrangersAtThePort(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, PeersMax: 8, NegotiateTimeout: time.Second}, libp2p.Config{})
			old := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			young := newNode(t, s, libp2p.HostConfig{Key: key(3), Transport: tr}, libp2p.Config{})
			sa, sb := pair(t, ctx, old, b)
			before := heap()
			bare, err := ma.NewMultiaddr(b.addr)
			require.NoError(t, err)
			network, at, err := manet.DialArgs(bare.Decapsulate(ma.StringCast("/p2p/" + string(b.Self()))))
			require.NoError(t, err)
			for i := range 40 {
				c, err := net.Dial(network, at)
				require.NoError(t, err)
				defer c.Close()
				_, _ = c.Write(garbage(tr, i))
			}
			write(t, sa, "served")
			read(t, sb, "served")
			settle(t, func() bool { _, err := young.Connect(ctx, b.addr); return err == nil })
			settle(t, func() bool { return holds(t, b).NumConnsInbound == 2 })
			require.Less(t, heap(), before+16<<20)
		})
	})
}

// garbage is what a stranger says first: nothing, a part of a negotiation, or, over QUIC, something that looks like the first packet of a connection.
func garbage(tr libp2p.Transport, i int) []byte {
	if tr == libp2p.TCP {
		return []byte("\x13/multistream/1.0.0\n GET / HTTP/1.1\r\n\r\n")[:i%37]
	}
	initial := make([]byte, 1200)
	copy(initial, []byte{0xc0 | byte(i%4), 0, 0, 0, 1, 8, byte(i), 2, 3, 4, 5, 6, 7, 8, 0, 0, 0x44, 0x9e})
	return initial[:1200-i%2*1100]
}

// stallable is a TCP relay that can stop carrying bytes towards target, while both its sockets stay open until it is cut.
func stallable(t testing.TB, s *registry.Scope, target string) (addr string, stall, cut func()) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	stalled := stm.NewVar(false)
	open := stm.NewVar([]io.Closer{l})
	s.Go("relay", func(ctx context.Context) error {
		from, err := l.Accept()
		require.NoError(t, err)
		to, err := net.Dial("tcp4", target)
		require.NoError(t, err)
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { open.Set(tx, []io.Closer{l, from, to}); return nil }))
		s.Go("back", func(context.Context) error { _, _ = io.Copy(from, to); return nil })
		buf := make([]byte, 1<<10)
		for !stalled.Load(ctx) {
			n, err := from.Read(buf)
			if err != nil {
				break
			}
			if _, err := to.Write(buf[:n]); err != nil {
				break
			}
		}
		return nil
	})
	stall = func() {
		_ = stm.Do(context.Background(), func(tx *stm.Tx) error { stalled.Set(tx, true); return nil })
	}
	return l.Addr().String(), stall, func() {
		for _, c := range open.Load(context.Background()) {
			_ = c.Close()
		}
	}
}

func sorted(a, b p2p.PeerID) []p2p.PeerID {
	if b < a {
		a, b = b, a
	}
	return []p2p.PeerID{a, b}
}

func mustConnect(t testing.TB, ctx context.Context, a, b node) p2p.PeerID {
	id, err := a.Connect(ctx, b.addr)
	require.NoError(t, err)
	return id
}

// The peer's machine takes no more bytes. libp2p would block every reset until the connection times out; ours return while it is still open,
// and the scope's end does not wait for that timeout either.
func TestAStalledPeerBlocksNobody(t *testing.T) {
	scope(t, func(_ context.Context, outer *registry.Scope) {
		b := newNode(t, outer, libp2p.HostConfig{Key: key(2), StreamsPeerMax: 300}, libp2p.Config{QueueMax: 1000, QueuePeerMax: 1000})
		var port int
		_, err := fmt.Sscanf(b.addr, "/ip4/127.0.0.1/tcp/%d/", &port)
		require.NoError(t, err)
		relay, stall, cut := stallable(t, outer, fmt.Sprintf("127.0.0.1:%d", port))
		defer cut()
		_, err = fmt.Sscanf(relay, "127.0.0.1:%d", &port)
		require.NoError(t, err)
		var conn network.Conn
		scope(t, func(ctx context.Context, s *registry.Scope) {
			a := newNode(t, s, libp2p.HostConfig{Key: key(1), StreamsPeerMax: 300}, libp2p.Config{})
			id, err := a.Connect(ctx, tcpAddr(port)+"/p2p/"+string(b.Self()))
			require.NoError(t, err)
			conn = a.host.Network().ConnsToPeer(b.host.ID())[0]
			var streams []p2p.Stream
			for range 200 {
				st, err := a.Open(ctx, id, echoID)
				require.NoError(t, err)
				streams = append(streams, st)
			}
			stall()
			full := false
			for _, st := range streams { // fill windows, the multiplexer's queue and the kernel's buffers
				require.NoError(t, st.SetWriteDeadline(time.Now().Add(100*time.Millisecond)))
				n, err := st.Write(make([]byte, 200<<10))
				if err != nil {
					require.Less(t, n, 200<<10)
					full = true
					break
				}
			}
			require.True(t, full, "the relay does not stall")
			last := streams[len(streams)-1]
			blocked := registry.Fork(s, "write", func(context.Context) (int, error) {
				n, err := last.Write(make([]byte, 200<<10)) // no deadline
				require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown}, err)
				return n, nil
			})
			require.NoError(t, env.Sleep(ctx, 50*time.Millisecond)) // lets it block; the test holds without
			for _, st := range streams {
				if st != last {
					require.NoError(t, st.CloseWrite())
				}
				st.Reset(p2p.CodeShutdown)
				_, err := st.Read(make([]byte, 1))
				require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown}, err)
			}
			_, err = blocked.Wait(ctx)
			require.NoError(t, err)
			require.False(t, conn.IsClosed(), "the resets have blocked until the connection timed out")
		})
		require.True(t, conn.IsClosed())
		_, err = conn.NewStream(context.Background())
		require.NotContains(t, err.Error(), "timeout", "the end of the scope has waited for the connection to time out")
	})
}
