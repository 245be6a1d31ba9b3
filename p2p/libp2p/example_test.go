package libp2p_test

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p/core/host"

	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// Two hosts on loopback: the first greets, the second answers. When the scope ends nothing is left of either.
func Example() {
	const hello = "/example/hello/1"
	err := registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		var nodes [2]*libp2p.Network
		for i := range nodes {
			h, err := registry.Acquire(s, "host", func(context.Context) (host.Host, error) {
				seed := make([]byte, ed25519.SeedSize)
				seed[0] = byte(i)
				return libp2p.NewHost(libp2p.HostConfig{Key: ed25519.NewKeyFromSeed(seed)})
			}, func(_ context.Context, h host.Host) error { return h.Close() })
			if err != nil {
				return err
			}
			if nodes[i], err = libp2p.Bind(s, h.Value(), libp2p.Config{Protocols: []string{hello}}); err != nil {
				return err
			}
		}
		s.Go("answer", func(ctx context.Context) error {
			in, err := nodes[1].Accept(ctx)
			if err != nil {
				return err
			}
			defer in.Stream.Reset(0)
			name, err := io.ReadAll(in.Stream)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(in.Stream, "hello %s", name)
			if err != nil {
				return err
			}
			if err := in.Stream.CloseWrite(); err != nil {
				return err
			}
			return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(in.Stream.Gone(tx) != nil); return nil }) // until the other has left
		})
		return greet(ctx, nodes[0], nodes[1].Addrs()[0], hello)
	})
	fmt.Println("error:", err)
	// Output:
	// connected to 1 peer
	// hello world
	// error: <nil>
}

func greet(ctx context.Context, n *libp2p.Network, addr, protocol string) error {
	peer, err := n.Connect(ctx, addr)
	if err != nil {
		return err
	}
	defer n.Disconnect(peer, p2p.CodeShutdown)
	peers, err := stm.Query(ctx, n.Connected)
	if err != nil {
		return err
	}
	fmt.Println("connected to", len(peers), "peer")
	st, err := n.Open(ctx, peer, protocol)
	if err != nil {
		return err
	}
	defer st.Reset(0)
	if _, err := io.WriteString(st, "world"); err != nil {
		return err
	}
	if err := st.CloseWrite(); err != nil {
		return err
	}
	answer, err := io.ReadAll(st)
	fmt.Println(string(answer))
	return err
}
