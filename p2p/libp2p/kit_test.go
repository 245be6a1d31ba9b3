package libp2p_test

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
)

// patience bounds every wait of these tests; no assertion depends on how long one takes.
const patience = 60 * time.Second

const echoID = "/synod/echo/1"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		childMain()
		return
	}
	registrytest.NoLeaks(m)
}

func key(n byte) ed25519.PrivateKey {
	seed := make([]byte, ed25519.SeedSize)
	seed[0] = n
	return ed25519.NewKeyFromSeed(seed)
}

// node is one host with its network, in a scope.
type node struct {
	*libp2p.Network
	host host.Host
	addr string
}

// newNode makes a node in the scope; its host is closed with it.
func newNode(t testing.TB, s *registry.Scope, hc libp2p.HostConfig, nc libp2p.Config) node {
	var h host.Host
	_, err := registry.Acquire(s, "host", func(context.Context) (host.Host, error) {
		var err error
		h, err = libp2p.NewHost(hc)
		return h, err
	}, func(_ context.Context, h host.Host) error { return h.Close() })
	require.NoError(t, err)
	if nc.Protocols == nil {
		nc.Protocols = []string{echoID}
	}
	n, err := libp2p.Bind(s, h, nc)
	require.NoError(t, err)
	addrs := n.Addrs()
	require.NotEmpty(t, addrs)
	return node{Network: n, host: h, addr: addrs[0]}
}

var errDone = errors.New("the test is over")

// scope runs f in a scope, with a context that bounds every wait, and requires the scope to end without a failure.
func scope(t testing.TB, f func(ctx context.Context, s *registry.Scope)) {
	ctx, cancel := env.WithTimeout(context.Background(), patience)
	defer cancel()
	require.NoError(t, registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		f(ctx, s)
		return nil
	}))
}

// transports runs f for each transport.
func transports(t *testing.T, f func(t *testing.T, tr libp2p.Transport)) {
	for _, tr := range []libp2p.Transport{libp2p.TCP, libp2p.QUIC} {
		t.Run(string(tr), func(t *testing.T) { f(t, tr) })
	}
}

// pair connects a to b and gives one stream's two ends, a's first.
func pair(t testing.TB, ctx context.Context, a, b node) (p2p.Stream, p2p.Stream) {
	id, err := a.Connect(ctx, b.addr)
	require.NoError(t, err)
	require.Equal(t, b.Self(), id)
	sa, err := a.Open(ctx, id, echoID)
	require.NoError(t, err)
	in, err := b.Accept(ctx)
	require.NoError(t, err)
	require.Equal(t, a.Self(), in.Peer)
	require.Equal(t, echoID, in.Protocol)
	return sa, in.Stream
}

// two runs f with two nodes in one scope.
func two(t testing.TB, tr libp2p.Transport, f func(ctx context.Context, s *registry.Scope, a, b node)) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		f(ctx, s,
			newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{}),
			newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr}, libp2p.Config{}))
	})
}

// gone waits until the stream reports its end.
func gone(t testing.TB, ctx context.Context, s p2p.Stream) error {
	why, err := stm.Query(ctx, func(tx *stm.Tx) error {
		err := s.Gone(tx)
		tx.Check(err != nil)
		return err
	})
	require.NoError(t, err)
	return why
}

// connected waits until n is connected to exactly want.
func connected(t testing.TB, ctx context.Context, n node, want ...p2p.PeerID) {
	require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
		have := n.Connected(tx)
		tx.Check(len(have) == len(want))
		for i := range have {
			tx.Check(have[i] == want[i])
		}
		return nil
	}))
}

func tcpAddr(port int) string { return fmt.Sprintf("/ip4/127.0.0.1/tcp/%d", port) }

func udpAddr(port int) string { return fmt.Sprintf("/ip4/127.0.0.1/udp/%d/quic-v1", port) }

// newID is a peer nobody is.
func newID(t testing.TB) p2p.PeerID {
	h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(99), Listen: "none"})
	require.NoError(t, err)
	defer h.Close()
	return p2p.PeerID(h.ID().String())
}

// settle waits for what libp2p does in goroutines of its own and tells nobody.
func settle(t testing.TB, done func() bool) {
	for end := time.Now().Add(patience); !done(); runtime.Gosched() {
		require.True(t, time.Now().Before(end), "it does not settle")
	}
}

func cancellable(ctx context.Context) (context.Context, context.CancelCauseFunc) {
	return env.WithCancelCause(ctx)
}

// orNil is err, or other for nil: a cancelled scope may end with or without its cause.
func orNil(err, other error) error {
	if err == nil {
		return other
	}
	return err
}
