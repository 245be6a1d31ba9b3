package libp2p_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	ma "github.com/multiformats/go-multiaddr"
	manet "github.com/multiformats/go-multiaddr/net"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
)

// port is the part of an address after the host's.
func port(t testing.TB, addr string) string {
	_, rest, ok := strings.Cut(strings.TrimPrefix(addr, "/"), "/")
	require.True(t, ok)
	_, rest, ok = strings.Cut(rest, "/")
	require.True(t, ok)
	return rest
}

// Who listens on all interfaces tells the addresses of each, loopback last, and is reached at every one; a name does as well.
func TestListenOnAllInterfaces(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			listen := map[libp2p.Transport]string{libp2p.TCP: "/ip4/0.0.0.0/tcp/0", libp2p.QUIC: "/ip4/0.0.0.0/udp/0/quic-v1"}[tr]
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, Listen: listen}, libp2p.Config{})
			addrs := b.Addrs()
			loopback := 0
			for i, a := range addrs {
				require.NotContains(t, a, "0.0.0.0")
				if manet.IsIPLoopback(ma.StringCast(a)) {
					loopback++
					require.Equal(t, len(addrs)-1, i, "loopback is not last: %v", addrs)
				}
			}
			require.Equal(t, 1, loopback)
			addrs = append(addrs, "/dns4/localhost/"+port(t, addrs[0]), "/dns/localhost/"+port(t, addrs[0]))
			for i, addr := range addrs {
				a := newNode(t, s, libp2p.HostConfig{Key: key(byte(10 + i)), Transport: tr}, libp2p.Config{})
				id, err := a.Connect(ctx, addr)
				require.NoError(t, err, addr)
				require.Equal(t, b.Self(), id)
				sa, err := a.Open(ctx, id, echoID)
				require.NoError(t, err)
				write(t, sa, "x")
				in, err := b.Accept(ctx)
				require.NoError(t, err)
				read(t, in.Stream, "x")
			}
		})
	})
}

// What is announced is told instead.
func TestAnnounce(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			first := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			bare, _, _ := strings.Cut(port(t, first.addr), "/p2p/")
			announce := []string{"/dns4/localhost/" + bare, "/ip4/192.0.2.7/" + bare}
			b := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, Announce: announce}, libp2p.Config{})
			require.Equal(t, []string{announce[0] + "/p2p/" + string(b.Self()), announce[1] + "/p2p/" + string(b.Self())}, b.Addrs())
			_, err := first.Connect(ctx, b.host.Network().ListenAddresses()[0].String()+"/p2p/"+string(b.Self()))
			require.NoError(t, err)
			for _, a := range announce { // identify tells the same
				settle(t, func() bool { return ma.Contains(first.host.Peerstore().Addrs(b.host.ID()), ma.StringCast(a)) })
			}
			for addr, why := range map[string]string{
				"localhost:80":                    "must begin with /",
				first.addr:                        "without a peer id",
				"/ip4/0.0.0.0/" + bare:            "nobody can dial",
				fmt.Sprintf("/dns4/x/tcp/%d", -1): "failed to parse",
			} {
				_, err := libp2p.NewHost(libp2p.HostConfig{Key: key(3), Transport: tr, Announce: []string{addr}})
				require.ErrorContains(t, err, "HostConfig.Announce")
				require.ErrorContains(t, err, why)
			}
			first.Disconnect(b.Self(), p2p.CodeShutdown)
			first.host.Peerstore().ClearAddrs(b.host.ID())
			_, err = first.Connect(ctx, "/dns4/no.such.host.invalid/"+bare+"/p2p/"+string(b.Self()))
			require.ErrorIs(t, err, libp2p.ErrUnreachable)
			require.ErrorContains(t, err, "does not resolve")
		})
	})
}

// A host closes all its parts, whatever it was made of: nothing runs after, and it may be closed again.
func TestHostCloses(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		for _, listen := range []string{"", "none"} {
			h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(1), Transport: tr, Listen: listen})
			require.NoError(t, err)
			require.Len(t, h.Addrs(), map[string]int{"": 1, "none": 0}[listen])
			require.NoError(t, h.Close())
			require.NoError(t, h.Close())
		}
	})
}
