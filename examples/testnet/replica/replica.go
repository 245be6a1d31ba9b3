package replica

import (
	"context"
	"crypto/ed25519"
	"io"
	"net"
	"strings"

	"github.com/libp2p/go-libp2p/core/host"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/pebble"
)

// Replica is a node with what surrounds it. Made by [Listen].
type Replica struct {
	cfg      Config
	scope    *registry.Scope
	listener net.Listener
	store    store.Store
	network  *libp2p.Network
	peers    *peers.Ledger
	ledger   coin.Ledger
	initial  coin.State
	genesis  chain.Hash
	metrics  *metrics
	node     *stm.Var[*node.Node[coin.State, coin.Transfer]] // nil until it runs
}

// Listen opens what the node needs in s. Both sockets are bound when it returns.
func Listen(ctx context.Context, s *registry.Scope, cfg Config) (*Replica, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	r := &Replica{
		cfg: cfg, scope: s, genesis: cfg.Genesis.Hash(), peers: peers.NewLedger(peers.Config{}), metrics: newMetrics(),
		node: stm.NewVar[*node.Node[coin.State, coin.Transfer]](nil).Label("replica." + cfg.Name),
	}
	if r.ledger, r.initial, err = coin.NewLedger(cfg.Genesis); err != nil {
		return nil, err
	}
	if r.listener, err = listen(s, cfg.HTTP); err != nil {
		return nil, err
	}
	if r.store, err = openStore(s, cfg.Dir); err != nil {
		return nil, err
	}
	if r.network, err = r.bind(ctx, s); err != nil {
		return nil, err
	}
	return r, nil
}

// Start runs the node, which keeps connected to the given addresses, and answers over HTTP.
func (r *Replica) Start(ctx context.Context, dial []string) error {
	n, err := node.Start(ctx, r.scope, node.Config[coin.State, coin.Transfer]{
		Genesis: r.cfg.Genesis, K: r.cfg.depth, Ledger: r.ledger, Initial: r.initial, Store: r.store,
		Encode: coin.EncodeState, Decode: r.ledger.DecodeState,
		Network: r.network, Peers: r.peers, Dial: dial, Key: r.cfg.Keys.Leader, Mempool: r.cfg.limits,
		Trace: r.tracers(),
	})
	if err != nil {
		return err
	}
	if err := stm.Do(ctx, func(tx *stm.Tx) error { r.node.Set(tx, n); return nil }); err != nil {
		return err
	}
	r.metrics.observe(r)
	serve(r.scope, r.listener, api.NewHandler(r, api.Extra{Metrics: r.metrics.handler(), Scopes: r.Dump}))
	return nil
}

// Name is the one of Config.
func (r *Replica) Name() string { return r.cfg.Name }

// Address is the multiaddress with the peer id, for others to dial.
func (r *Replica) Address() string { return r.network.Addrs()[0] }

// PeerID is the host's identity.
func (r *Replica) PeerID() p2p.PeerID { return r.network.Self() }

// URL is the base of the node's HTTP interface.
func (r *Replica) URL() string { return "http://" + r.listener.Addr().String() }

// Node is the running node, nil before Start.
func (r *Replica) Node(tx *stm.Tx) *node.Node[coin.State, coin.Transfer] { return r.node.Get(tx) }

// Peers is the ledger of the peers' conduct.
func (r *Replica) Peers() *peers.Ledger { return r.peers }

// Disconnect closes the connection to a peer. To keep it closed, have Config.Refuse refuse the peer first.
func (r *Replica) Disconnect(p p2p.PeerID) { r.network.Disconnect(p, p2p.CodeShutdown) }

// Dump writes the tree of the node's scopes.
func (r *Replica) Dump(w io.Writer) error {
	_, err := io.Copy(w, strings.NewReader(registry.Dump(r.scope).String()))
	return err
}

func openStore(s *registry.Scope, dir string) (store.Store, error) {
	if dir == "" {
		return store.NewMemory(), nil
	}
	return pebble.Open(s, dir, pebble.Config{})
}

// bind makes the libp2p host and the network on it.
func (r *Replica) bind(ctx context.Context, s *registry.Scope) (*libp2p.Network, error) {
	refuse, seed := r.refusal(ctx), r.cfg.Keys.Host.Seed()
	h, err := registry.Acquire(s, "libp2p host", func(context.Context) (host.Host, error) {
		return libp2p.NewHost(libp2p.HostConfig{
			Key: ed25519.NewKeyFromSeed(seed[:]), Refuse: refuse, Transport: r.cfg.Transport, Listen: r.cfg.Listen,
		})
	}, func(_ context.Context, h host.Host) error { return h.Close() })
	if err != nil {
		return nil, err
	}
	return libp2p.Bind(s, h.Value(), libp2p.Config{Protocols: node.Protocols(), Refuse: refuse})
}

// refusal is the transport's question, answered by the peer ledger and by Config.
func (r *Replica) refusal(ctx context.Context) func(p2p.PeerID) bool {
	ctx = context.WithoutCancel(ctx)
	return func(p p2p.PeerID) bool {
		refused, _ := stm.Query(ctx, func(tx *stm.Tx) bool { return r.peers.Refused(tx, p) }) // cannot fail: it never waits
		return refused || r.cfg.Refuse(p)
	}
}
