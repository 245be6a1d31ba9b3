package libp2p_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/p2p/table"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// question opens a session with the child and asks.
func question(ctx context.Context, n node, id p2p.PeerID, limit time.Duration, what string, report func(context.Context, *p2p.Violation)) (string, error) {
	st, err := n.Open(ctx, id, askID)
	if err != nil {
		return "", err
	}
	s := p2p.NewSession(ctx, ask(limit), table.Initiator, p2p.Conn{Peer: id, Stream: st, Report: report})
	defer s.Close(0)
	if err := s.Send(&msgAsk{text{Text: what}}); err != nil {
		return "", err
	}
	m, err := s.Recv()
	if err != nil {
		return "", err
	}
	return m.(*msgTell).Text, nil
}

// total is how many violations a ledger has seen.
func total(t testing.TB, ctx context.Context, l *peers.Ledger) uint64 {
	n, err := stm.Query(ctx, l.Total)
	require.NoError(t, err)
	return n
}

// keys are two of which the first has the smaller identity.
func keys(t testing.TB) (smaller, greater byte) {
	id := func(n byte) string {
		h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(n), Listen: "none"})
		require.NoError(t, err)
		defer h.Close()
		return h.ID().String()
	}
	if id(1) < id(2) {
		return 1, 2
	}
	return 2, 1
}

// A peer is killed in the middle of a frame and is back at once, at another address, and dials us while we may still believe in the old connection.
// The new one takes its place whoever had dialled the old one, sessions over the old one end, and by nobody's fault.
func TestAKilledPeerComesBack(t *testing.T) {
	smaller, greater := keys(t)
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		for _, c := range []struct {
			name        string
			ours, child byte
			weDial      bool
		}{
			{"we had dialled, and our identity is the smaller", smaller, greater, true}, // our dead connection wins unless it is asked
			{"we had dialled, and our identity is the greater", greater, smaller, true},
			{"it had dialled", smaller, greater, false},
		} {
			t.Run(c.name, func(t *testing.T) {
				scope(t, func(ctx context.Context, s *registry.Scope) {
					us := newNode(t, s, libp2p.HostConfig{Key: key(c.ours), Transport: tr}, libp2p.Config{})
					o := order{Key: c.child, Transport: tr}
					if !c.weDial {
						o.Dial = us.addr
					}
					back(t, ctx, s, us, o)
				})
			})
		}
	})
}

func back(t *testing.T, ctx context.Context, s *registry.Scope, us node, o order) {
	first := spawn(t, ctx, s, o)
	if o.Dial == "" {
		_, err := us.Connect(ctx, first.addr(t, ctx))
		require.NoError(t, err)
	} else {
		first.connected(t, ctx)
	}
	id := theOne(t, ctx, us)
	ledger := peers.NewLedger(peers.Config{})
	is, err := question(ctx, us, id, time.Minute, askPID, ledger.Report)
	require.NoError(t, err)
	require.Equal(t, first.pid(), is)
	old := us.Conns(ctx, id)
	require.Len(t, old, 1)
	var ended []*registry.Task[error]
	for _, what := range []string{askHalf, askNone} {
		ended = append(ended, registry.Fork(s, what, func(ctx context.Context) (error, error) {
			_, err := question(ctx, us, id, table.Forever, what, ledger.Report)
			return err, nil
		}))
		first.asked(t, ctx, what)
	}

	first.kill()
	o.Dial = us.addr
	second := spawn(t, ctx, s, o)
	second.connected(t, ctx)
	for _, task := range ended {
		why, err := task.Wait(ctx)
		require.NoError(t, err)
		requireGone(t, why)
	}
	connected(t, ctx, us, id)
	settle(t, func() bool { now := us.Conns(ctx, id); return len(now) == 1 && now[0] != old[0] })
	is, err = question(ctx, us, id, time.Minute, askPID, ledger.Report)
	require.NoError(t, err)
	require.Equal(t, second.pid(), is)
	for _, w := range second.words.Load(ctx) {
		require.False(t, w.Lost, "the new connection was closed")
	}
	require.Zero(t, total(t, ctx, ledger))
}

// theOne waits for one peer to be connected.
func theOne(t testing.TB, ctx context.Context, n node) p2p.PeerID {
	id, err := stm.Query(ctx, func(tx *stm.Tx) p2p.PeerID {
		have := n.Connected(tx)
		tx.Check(len(have) == 1)
		return have[0]
	})
	require.NoError(t, err)
	return id
}

// requireGone requires an error to tell of a lost connection, and of nobody's fault.
func requireGone(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, p2p.ErrGone)
	var v *p2p.Violation
	require.False(t, errors.As(err, &v), "%v", err)
}

// A peer that is killed and stays away lets time limits pass before libp2p misses it. That is no violation. One that is there and keeps silent
// commits one.
func TestSilenceIsAViolationOfTheLivingOnly(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		for _, what := range []string{askNone, askHalf} {
			for _, dead := range []bool{true, false} {
				t.Run(fmt.Sprintf("asked for %s, dead=%v", what, dead), func(t *testing.T) {
					t.Parallel()
					scope(t, func(ctx context.Context, s *registry.Scope) {
						us := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
						c := spawn(t, ctx, s, order{Key: 2, Transport: tr})
						id, err := us.Connect(ctx, c.addr(t, ctx))
						require.NoError(t, err)
						ledger := peers.NewLedger(peers.Config{})
						task := registry.Fork(s, what, func(ctx context.Context) (error, error) {
							_, err := question(ctx, us, id, 300*time.Millisecond, what, ledger.Report)
							return err, nil
						})
						c.asked(t, ctx, what)
						if dead {
							c.kill()
						}
						why, err := task.Wait(ctx)
						require.NoError(t, err)
						if dead {
							requireGone(t, why)
							if tr == libp2p.QUIC {
								require.ErrorContains(t, why, "the peer does not answer within 3s")
							}
							require.Zero(t, total(t, ctx, ledger))
							connected(t, ctx, us)
							return
						}
						var v *p2p.Violation
						require.ErrorAs(t, why, &v)
						require.Equal(t, p2p.Timeout, v.Kind)
						connected(t, ctx, us, id)
					})
				})
			}
		}
	})
}

// A peer that is back at its old address and dials nobody is found as soon as we say something on the old connection: its machine does not know it.
func TestAKilledPeerIsBackAtItsAddress(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			us := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			c := spawn(t, ctx, s, order{Key: 2, Transport: tr})
			addr := c.addr(t, ctx)
			id, err := us.Connect(ctx, addr)
			require.NoError(t, err)
			ledger := peers.NewLedger(peers.Config{})
			_, err = question(ctx, us, id, time.Minute, askPID, ledger.Report)
			require.NoError(t, err)
			c.kill()
			listen, _, _ := strings.Cut(addr, "/p2p/")
			c = spawn(t, ctx, s, order{Key: 2, Transport: tr, Listen: listen})
			_, err = question(ctx, us, id, time.Minute, askPID, ledger.Report)
			requireGone(t, err)
			connected(t, ctx, us)
			_, err = us.Connect(ctx, addr)
			require.NoError(t, err)
			is, err := question(ctx, us, id, time.Minute, askPID, ledger.Report)
			require.NoError(t, err)
			require.Equal(t, c.pid(), is)
			require.Zero(t, total(t, ctx, ledger))
		})
	})
}

// The connection that the smaller identity dialled stays if it lives, and all that is open on it. The other is a second process with the greater
// one's key: it is told.
func TestALivingConnectionStays(t *testing.T) {
	smaller, greater := keys(t)
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			a := newNode(t, s, libp2p.HostConfig{Key: key(smaller), Transport: tr}, libp2p.Config{})
			b := newNode(t, s, libp2p.HostConfig{Key: key(greater), Transport: tr}, libp2p.Config{})
			twin := newNode(t, s, libp2p.HostConfig{Key: key(greater), Transport: tr}, libp2p.Config{})
			sa, sb := pair(t, ctx, a, b)
			old := a.Conns(ctx, b.Self())
			conn := raw(t, ctx, twin, a)
			settle(t, conn.IsClosed)
			require.Equal(t, old, a.Conns(ctx, b.Self()))
			connected(t, ctx, a, b.Self())
			write(t, sa, "x")
			read(t, sb, "x")
			_, err := conn.NewStream(ctx)
			var told *network.ConnError
			require.ErrorAs(t, err, &told)
			require.EqualValues(t, p2p.CodeSupplanted-1, told.ErrorCode) // libp2p's numbers for connections are one less
		})
	})
}
