package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	golibp2p "github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/host"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "minichain:", err)
		os.Exit(1)
	}
}

// replica is one node and where to reach it.
type replica struct {
	*node.Node[names, claim]
	address string
}

// run is the whole network: when it returns, nothing of it is left.
func run(ctx context.Context, out io.Writer) error {
	keys := make([]sign.PrivateKey, 3) // drawn from no source of chance: a network in earnest uses sign.GenerateKey
	genesis := chain.Genesis{Network: "minichain", Start: time.Now().UTC().Truncate(time.Millisecond), SlotLength: 200 * time.Millisecond}
	for i := range keys {
		keys[i] = sign.KeyFromSeed([32]byte{byte(i + 1)})
		public := keys[i].Public()
		genesis.Keys = append(genesis.Keys, public[:])
	}
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		replicas := make([]replica, len(keys))
		for i, key := range keys {
			cfg := configOf(genesis, key)
			for _, older := range replicas[:i] {
				cfg.Dial = append(cfg.Dial, older.address)
			}
			err := s.Daemon(ctx, fmt.Sprintf("node%d", i), func(ctx context.Context, ready func()) error {
				return serve(ctx, cfg, func(r replica) { replicas[i] = r; ready() })
			})
			if err != nil {
				return err
			}
		}
		if err := submit(ctx, newLedger(genesis), replicas, keys); err != nil {
			return err
		}
		agreed, err := stm.Query(ctx, func(tx *stm.Tx) names { return agreement(tx, replicas) })
		for _, name := range slices.Sorted(maps.Keys(agreed)) {
			owner := slices.IndexFunc(keys, func(k sign.PrivateKey) bool { return k.Public() == agreed[name] })
			fmt.Fprintf(out, "%s belongs to the key of node %d\n", name, owner)
		}
		return err
	})
}

func configOf(g chain.Genesis, key sign.PrivateKey) node.Config[names, claim] {
	return node.Config[names, claim]{
		Genesis: g, Key: key, K: 100, // blocks more than K deep are final
		Ledger: newLedger(g), Initial: names{}, Store: store.NewMemory(), Peers: peers.NewLedger(peers.Config{}),
	}
}

// serve runs a node until ctx ends.
func serve(ctx context.Context, cfg node.Config[names, claim], up func(replica)) error {
	return registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
		h, err := registry.Acquire(s, "host", func(context.Context) (host.Host, error) {
			return golibp2p.New(golibp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"), golibp2p.DisableRelay())
		}, func(_ context.Context, h host.Host) error { return h.Close() })
		if err != nil {
			return err
		}
		network, err := libp2p.Bind(s, h.Value(), libp2p.Config{Protocols: node.Protocols(), Refuse: func(p p2p.PeerID) bool {
			refused, err := stm.Query(ctx, func(tx *stm.Tx) bool { return cfg.Peers.Refused(tx, p) })
			return refused || err != nil
		}})
		if err != nil {
			return err
		}
		cfg.Network = network
		n, err := node.Start(ctx, s, cfg)
		if err != nil {
			return err
		}
		up(replica{n, network.Addrs()[0]})
		return nil // the node's tasks go on
	})
}

// submit gives each node a claim of its key: two of them for the same name.
func submit(ctx context.Context, l ledger, replicas []replica, keys []sign.PrivateKey) error {
	for i, name := range []string{"alice", "alice", "bob"} {
		raw, err := l.sign(keys[i], name)
		if err != nil {
			return err
		}
		// Accepted is durable and pending, not won. A node that knows of the rival already refuses.
		if _, err := replicas[i].Pool().Submit(ctx, raw); err != nil && !errors.Is(err, errTaken) {
			return err
		}
	}
	return nil
}

// agreement waits until all nodes have one chain, and both names are on it.
func agreement(tx *stm.Tx, replicas []replica) names {
	first := replicas[0].Selection(tx)
	tx.Check(len(first.State) == 2)
	for _, r := range replicas {
		tx.Check(r.Tip(tx) == first.Tip())
	}
	return first.State
}
