package libp2p_test

import (
	"context"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/libp2p/go-libp2p/core/network"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/internal/long"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

func TestSimultaneousDialsKeepOneConnection(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, s *registry.Scope, a, b node) {
			doubles := 0
			for range 10 {
				tasks := []*registry.Task[p2p.PeerID]{
					registry.Fork(s, "a dials", func(ctx context.Context) (p2p.PeerID, error) { return a.Connect(ctx, b.addr) }),
					registry.Fork(s, "b dials", func(ctx context.Context) (p2p.PeerID, error) { return b.Connect(ctx, a.addr) }),
				}
				for _, task := range tasks {
					_, err := task.Wait(ctx)
					require.NoError(t, err)
				}
				settle(t, func() bool { // both keep one, and the same
					atA, atB := a.Conns(ctx, b.Self()), b.Conns(ctx, a.Self())
					doubles += max(0, len(atA)-1) + max(0, len(atB)-1)
					return len(atA) == 1 && len(atB) == 1 && atA[0].Stat().Direction != atB[0].Stat().Direction
				})
				connected(t, ctx, a, b.Self())
				connected(t, ctx, b, a.Self())
				sa, sb := pair(t, ctx, a, b)
				write(t, sa, "x")
				read(t, sb, "x")
				a.Disconnect(b.Self(), p2p.CodeShutdown)
				for _, n := range []node{a, b} {
					require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
						tx.Check(n.Links(tx, a.Self())+n.Links(tx, b.Self()) == 0)
						return nil
					}))
				}
			}
			t.Log("looks that saw two connections:", doubles)
		})
	})
}

// holds is what a host's resource manager counts in all.
func holds(t testing.TB, n node) network.ScopeStat {
	var stat network.ScopeStat
	require.NoError(t, n.host.Network().ResourceManager().ViewSystem(func(s network.ResourceScope) error {
		stat = s.Stat()
		return nil
	}))
	return stat
}

// handles counts the process's open files and sockets; 0 where that cannot be told.
func handles() int {
	list, _ := os.ReadDir("/proc/self/fd")
	return len(list)
}

// flat requires that what f does again and again leaves nothing: goroutines, handles, memory, counts of the hosts' resource managers.
func flat(t testing.TB, times int, f func(i int), hosts ...node) {
	for i := range 20 {
		f(i)
	}
	goroutines, files, bytes := runtime.NumGoroutine(), handles(), heap()
	for i := range times {
		f(i)
	}
	settle(t, func() bool { return runtime.NumGoroutine() <= goroutines+4 })
	settle(t, func() bool { return handles() <= files+2 })
	settle(t, func() bool { return heap() <= bytes+1<<20+uint64(times)*64 })
	t.Logf("after %d: goroutines %d to %d, handles %d to %d, heap %d to %d KiB",
		times, goroutines, runtime.NumGoroutine(), files, handles(), bytes>>10, heap()>>10)
	for _, n := range hosts {
		settle(t, func() bool { stat := holds(t, n); return stat.NumStreamsInbound+stat.NumStreamsOutbound == 0 })
	}
}

func TestCyclesLeaveNothing(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			cycle := func(i int) {
				sa, sb := pair(t, ctx, a, b)
				if i%2 == 0 {
					sb.Watch()
				}
				write(t, sa, "x")
				read(t, sb, "x")
				if i%3 == 0 {
					sa.Reset(0) // else both are left to the connection's end
				}
				[]node{a, b}[i%2].Disconnect([]node{b, a}[i%2].Self(), p2p.CodeShutdown)
				for _, n := range []node{a, b} {
					require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
						tx.Check(n.Links(tx, a.Self())+n.Links(tx, b.Self()) == 0)
						return nil
					}))
				}
			}
			flat(t, long.N(200, 5_000), cycle, a, b)
			for _, n := range []node{a, b} {
				settle(t, func() bool {
					stat := holds(t, n)
					return stat.NumConnsInbound+stat.NumConnsOutbound == 0 && stat.Memory == 0
				})
			}
		})
	})
}

// Far more streams than a peer may have at once, one after the other, ended by reset or in order.
func TestStreamsLeaveNothing(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			cycle := func(i int) {
				sa, sb := pair(t, ctx, a, b)
				write(t, sa, "x")
				read(t, sb, "x")
				if i%2 == 0 {
					require.NoError(t, sa.CloseWrite())
					require.NoError(t, sb.CloseWrite())
					for _, s := range []p2p.Stream{sa, sb} {
						_, err := s.Read(make([]byte, 1))
						require.Equal(t, io.EOF, err)
					}
				}
				sa.Reset(p2p.CodeShutdown)
				sb.Reset(p2p.CodeShutdown)
			}
			flat(t, long.N(400, 30_000), cycle, a, b)
			for _, n := range []struct{ of, to node }{{a, b}, {b, a}} {
				settle(t, func() bool { return n.of.Streams(ctx, n.to.Self()) == 0 })
			}
		})
	})
}

func TestTheEndOfTheScopeEndsEverything(t *testing.T) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		a := newNode(t, s, libp2p.HostConfig{Key: key(1)}, libp2p.Config{})
		h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(2)})
		require.NoError(t, err)
		defer h.Close()
		var n *libp2p.Network
		var sb p2p.Stream
		end := context.CancelCauseFunc(nil)
		inner, end := cancellable(ctx)
		waiting := stm.NewVar[error](nil)
		var sa p2p.Stream
		err = registry.Run(inner, func(_ context.Context, in *registry.Scope) error {
			var err error
			n, err = libp2p.Bind(in, h, libp2p.Config{Protocols: []string{echoID}})
			require.NoError(t, err)
			sa, sb = pair(t, ctx, a, node{Network: n, host: h, addr: n.Addrs()[0]})
			sb.Watch()
			s.Go("accept", func(ctx context.Context) error {
				_, err := n.Accept(ctx)
				return stm.Do(ctx, func(tx *stm.Tx) error { waiting.Set(tx, err); return nil })
			})
			end(errDone)
			return nil
		})
		require.ErrorIs(t, orNil(err, errDone), errDone)
		_, err = sb.Read(make([]byte, 1))
		require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown}, err)
		_, err = sa.Read(make([]byte, 1))
		require.Equal(t, &p2p.ResetError{Code: p2p.CodeShutdown, Remote: true}, err)
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error {
			err := waiting.Get(tx)
			tx.Check(err != nil)
			require.ErrorIs(t, err, p2p.ErrGone)
			return nil
		}))
		_, err = n.Connect(ctx, a.addr)
		require.ErrorIs(t, err, p2p.ErrGone)
		_, err = n.Open(ctx, a.Self(), echoID)
		require.Error(t, err)
		connected(t, ctx, a, n.Self()) // the host and its connections are its owner's
		sa, err = a.Open(ctx, n.Self(), echoID)
		require.NoError(t, err)
		_, err = sa.Read(make([]byte, 1))
		require.Error(t, err)
		sa.Reset(0)
	})
}

func TestBindTakesOverExistingConnections(t *testing.T) {
	scope(t, func(ctx context.Context, s *registry.Scope) {
		a := newNode(t, s, libp2p.HostConfig{Key: key(1)}, libp2p.Config{})
		h, err := libp2p.NewHost(libp2p.HostConfig{Key: key(2)})
		require.NoError(t, err)
		defer h.Close()
		_, err = a.Connect(ctx, h.Addrs()[0].String()+"/p2p/"+h.ID().String())
		require.NoError(t, err)
		settle(t, func() bool { return len(h.Network().Conns()) == 1 })
		inner, end := cancellable(ctx)
		_ = registry.Run(inner, func(_ context.Context, in *registry.Scope) error {
			defer end(errDone)
			n, err := libp2p.Bind(in, h, libp2p.Config{Protocols: []string{echoID}})
			require.NoError(t, err)
			connected(t, ctx, node{Network: n}, a.Self())
			sa, sb := pair(t, ctx, a, node{Network: n, host: h, addr: n.Addrs()[0]})
			write(t, sb, "x")
			read(t, sa, "x")
			return nil
		})
	})
}

func TestRefusedPeers(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		scope(t, func(ctx context.Context, s *registry.Scope) {
			a := newNode(t, s, libp2p.HostConfig{Key: key(1), Transport: tr}, libp2p.Config{})
			refuse := func(p p2p.PeerID) bool { return p == a.Self() }
			gated := newNode(t, s, libp2p.HostConfig{Key: key(2), Transport: tr, Refuse: refuse}, libp2p.Config{Refuse: refuse})
			foreign := newNode(t, s, libp2p.HostConfig{Key: key(3), Transport: tr}, libp2p.Config{Refuse: refuse}) // a host that knows of no gater of ours
			for _, n := range []node{gated, foreign} {
				_, err := a.Connect(ctx, n.addr) // may believe for a moment that it is connected
				if err == nil {
					_, err = a.Open(ctx, n.Self(), echoID)
				}
				_ = err
				connected(t, ctx, a)
				connected(t, ctx, n)
				_, err = n.Connect(ctx, a.addr)
				require.ErrorIs(t, err, libp2p.ErrRefused)
			}
		})
	})
}

func TestTwoNetworksShareAHost(t *testing.T) {
	two(t, libp2p.TCP, func(ctx context.Context, s *registry.Scope, a, b node) {
		other, err := libp2p.Bind(s, b.host, libp2p.Config{Protocols: []string{"/synod/other/1"}})
		require.NoError(t, err)
		sa, sb := pair(t, ctx, a, b)
		st, err := a.Open(ctx, b.Self(), "/synod/other/1")
		require.NoError(t, err)
		in, err := other.Accept(ctx)
		require.NoError(t, err)
		require.Equal(t, "/synod/other/1", in.Protocol)
		write(t, st, "x")
		read(t, in.Stream, "x")
		other.Disconnect(a.Self(), p2p.CodeViolation) // the connection is one: both see it go
		require.ErrorIs(t, gone(t, ctx, sb), p2p.ErrGone)
		require.ErrorIs(t, gone(t, ctx, sa), p2p.ErrGone)
		require.ErrorIs(t, gone(t, ctx, in.Stream), p2p.ErrGone)
	})
}

// What a closed connection says to the peer arrives at best effort. It must arrive once in a few times.
func TestTheCodeOfADisconnectArrives(t *testing.T) {
	transports(t, func(t *testing.T, tr libp2p.Transport) {
		two(t, tr, func(ctx context.Context, _ *registry.Scope, a, b node) {
			said := map[libp2p.GoneError]int{}
			for range 5 {
				_, sb := pair(t, ctx, a, b)
				a.Disconnect(b.Self(), p2p.CodeViolation)
				var why *libp2p.GoneError
				require.ErrorAs(t, gone(t, ctx, sb), &why)
				said[libp2p.GoneError{Code: why.Code, Remote: why.Remote}]++
			}
			require.Contains(t, said, libp2p.GoneError{Code: p2p.CodeViolation, Remote: true})
		})
	})
}
