package simnet_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/sim"
	"github.com/synodkit/synod/sim/simnet"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// inBoth runs f in a simulation and in production.
func inBoth(t *testing.T, f func(ctx context.Context) error) {
	t.Run("simulation", func(t *testing.T) {
		for seed := range uint64(20) {
			require.NoError(t, sim.Run(seed, f).Err)
		}
	})
	t.Run("production", func(t *testing.T) { require.NoError(t, f(context.Background())) })
}

func two(ctx context.Context, cfg simnet.NodeConfig) (a, b *simnet.Node, err error) {
	net := simnet.New(simnet.Config{Latency: time.Millisecond, Jitter: time.Millisecond})
	if a, err = net.Join(ctx, "a", cfg); err != nil {
		return
	}
	b, err = net.Join(ctx, "b", cfg)
	return
}

func connected(ctx context.Context, n *simnet.Node) string {
	ids, err := stm.Query(ctx, n.Connected)
	return fmt.Sprint(ids, err)
}

func TestNodesConnectOpenAccept(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		a, b, err := two(ctx, simnet.NodeConfig{})
		if err != nil {
			return err
		}
		return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
			for _, side := range [][2]*simnet.Node{{a, b}, {b, a}} { // both dial: there is one connection
				s.Go("dial", func(ctx context.Context) error {
					peer, err := side[0].Connect(ctx, string(side[1].Self()))
					if err == nil && peer != side[1].Self() {
						return fmt.Errorf("connected to %s", peer)
					}
					return err
				})
			}
			s.Go("b", func(ctx context.Context) error {
				in, err := b.Accept(ctx)
				if err != nil {
					return err
				}
				if in.Peer != "a" || in.Protocol != "/x/1" {
					return fmt.Errorf("incoming %+v", in)
				}
				_, err = in.Stream.Write([]byte("hello"))
				return err
			})
			if _, err := a.Connect(ctx, "b"); err != nil {
				return err
			}
			if got := connected(ctx, a) + connected(ctx, b); got != "[b] <nil>[a] <nil>" {
				return fmt.Errorf("connected: %s", got)
			}
			st, err := a.Open(ctx, "b", "/x/1")
			if err != nil {
				return err
			}
			buf := make([]byte, 5)
			for n := 0; n < 5; {
				k, err := st.Read(buf[n:])
				if err != nil {
					return err
				}
				n += k
			}
			b.Disconnect("a", p2p.CodeViolation)
			if _, err := st.Read(buf); err != p2p.ErrGone {
				return fmt.Errorf("read after Disconnect: %v", err)
			}
			if gone, err := stm.Query(ctx, st.Gone); gone != p2p.ErrGone || err != nil {
				return fmt.Errorf("gone: %v, %v", gone, err)
			}
			if got := connected(ctx, a) + connected(ctx, b); got != "[] <nil>[] <nil>" {
				return fmt.Errorf("connected: %s", got)
			}
			return nil
		})
	})
}

func TestNetRefusals(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{})
		a, err := net.Join(ctx, "a", simnet.NodeConfig{Refuse: func(id p2p.PeerID) bool { return id == "bad" }})
		if err != nil {
			return err
		}
		bad, err := net.Join(ctx, "bad", simnet.NodeConfig{})
		if err != nil {
			return err
		}
		for _, c := range []struct {
			from *simnet.Node
			to   string
			want error
		}{{a, "bad", simnet.ErrRefused}, {bad, "a", simnet.ErrRefused}, {a, "a", simnet.ErrRefused}, {a, "nobody", simnet.ErrNoNode}} {
			if _, err := c.from.Connect(ctx, c.to); !isErr(err, c.want) {
				return fmt.Errorf("%s to %s: %v", c.from.Self(), c.to, err)
			}
		}
		if _, err := a.Open(ctx, "bad", "/x/1"); !isErr(err, p2p.ErrGone) {
			return fmt.Errorf("open without a connection: %v", err)
		}
		return nil
	})
}

func TestInboxIsBounded(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		a, b, err := two(ctx, simnet.NodeConfig{AcceptMax: 3})
		if err != nil {
			return err
		}
		if _, err := a.Connect(ctx, "b"); err != nil {
			return err
		}
		var last p2p.Stream
		for range 4 {
			if last, err = a.Open(ctx, "b", "/flood/1"); err != nil {
				return err
			}
		}
		if _, err := last.Read(make([]byte, 1)); !isReset(err) {
			return fmt.Errorf("the fourth stream reads %v", err)
		}
		for range 3 {
			if _, err := b.Accept(ctx); err != nil {
				return err
			}
		}
		ctx, cancel := env.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if in, err := b.Accept(ctx); !isErr(err, context.DeadlineExceeded) {
			return fmt.Errorf("a fourth stream %+v, %v", in, err)
		}
		return nil
	})
}

func TestRestartAndLeave(t *testing.T) {
	inBoth(t, func(ctx context.Context) error {
		net := simnet.New(simnet.Config{})
		a, err := net.Join(ctx, "a", simnet.NodeConfig{})
		if err != nil {
			return err
		}
		for range 2 { // the second b takes the place of the first
			b, err := net.Join(ctx, "b", simnet.NodeConfig{})
			if err != nil {
				return err
			}
			if got := connected(ctx, a); got != "[] <nil>" {
				return fmt.Errorf("after a restart: %s", got)
			}
			if _, err := b.Connect(ctx, "a"); err != nil {
				return err
			}
			defer b.Leave()
		}
		a.Leave()
		a.Leave()
		if _, err := a.Connect(ctx, "b"); !isErr(err, simnet.ErrNoNode) {
			return fmt.Errorf("a node that has left connects: %v", err)
		}
		return nil
	})
}
