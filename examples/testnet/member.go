package main

import (
	"context"
	"crypto/ed25519"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/libp2p/go-libp2p/core/host"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/p2p/peers"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
	"github.com/synodkit/synod/store/pebble"
)

// securityK is the depth below which a testnet's blocks are final.
const securityK = 2160

// member is one node of the network with what surrounds it.
type member struct {
	network *network
	index   int
	name    string
	metrics *metrics
	ledger  *peers.Ledger
	node    *stm.Var[*node.Node[tally]] // nil until it runs

	// Set before the member's daemon is ready.
	scope   *registry.Scope
	self    string // peer id
	address string // multiaddress with the peer id
	url     string
}

func newMember(n *network, i int) *member {
	return &member{
		network: n, index: i, name: fmt.Sprintf("node%d", i), metrics: newMetrics(), ledger: peers.NewLedger(peers.Config{}),
		node: stm.NewVar[*node.Node[tally]](nil).Label(fmt.Sprintf("testnet.node%d", i)),
	}
}

// start opens what the node needs, says that it listens, and starts it when all others listen too.
func (m *member) start(ctx context.Context, s *registry.Scope, ready func()) error {
	m.scope = s
	listener, err := m.listen(s)
	if err != nil {
		return err
	}
	st, err := m.openStore(s)
	if err != nil {
		return err
	}
	network, err := m.bind(ctx, s)
	if err != nil {
		return err
	}
	m.url, m.self, m.address = "http://"+listener.Addr().String(), string(network.Self()), network.Addrs()[0]
	ready()
	addresses, err := stm.Query(ctx, func(tx *stm.Tx) []string {
		all := m.network.addresses.Get(tx)
		tx.Check(all != nil)
		return all
	})
	if err != nil {
		return err
	}
	running, err := node.Start(ctx, s, m.config(st, network, addresses))
	if err != nil {
		return err
	}
	if err := stm.Do(ctx, func(tx *stm.Tx) error { m.node.Set(tx, running); return nil }); err != nil {
		return err
	}
	m.metrics.observe(m)
	serve(s, listener, newServer(ctx, newHandler(m, m.metrics.handler())))
	return nil
}

func (m *member) config(st store.Store, network *libp2p.Network, addresses []string) node.Config[tally] {
	home := m.network.run.home
	var dial []string
	for _, j := range m.network.run.options.dials(m.index, len(addresses)) {
		dial = append(dial, addresses[j])
	}
	return node.Config[tally]{
		Genesis: home.genesis, K: securityK, Ledger: nodeLedger(home), Store: st, Network: network, Peers: m.ledger,
		Dial: dial, Key: home.keys[m.index].leader,
		Body: func(*stm.Tx, tally, chain.Slot) []byte {
			body, _ := note{Forger: uint32(m.index), Text: m.name}.encode() // the name is short
			return body
		},
		Trace: m.network.run.logs.tracers(m.name, m.metrics),
	}
}

func nodeLedger(h home) ledger { return ledger{nodes: uint64(len(h.keys))} }

// listen opens the HTTP port.
func (m *member) listen(s *registry.Scope) (net.Listener, error) {
	port := m.network.run.options.basePort
	if port > 0 {
		port += m.index
	}
	h, err := registry.Acquire(s, "http listener", func(ctx context.Context) (net.Listener, error) {
		return new(net.ListenConfig).Listen(ctx, "tcp", fmt.Sprintf("127.0.0.1:%d", port))
	}, func(_ context.Context, l net.Listener) error {
		_ = l.Close() // the server has closed it, if it ran
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("--base-port %d: %w", m.network.run.options.basePort, err)
	}
	return h.Value(), nil
}

func (m *member) openStore(s *registry.Scope) (store.Store, error) {
	home := m.network.run.home
	if home.dir == "" {
		return store.NewMemory(), nil
	}
	return pebble.Open(s, home.nodeDir(m.index)+"/"+dbFolder, pebble.Config{})
}

// bind makes the libp2p host and the network on it.
func (m *member) bind(ctx context.Context, s *registry.Scope) (*libp2p.Network, error) {
	refuse := refusal(ctx, m.ledger)
	seed := m.network.run.home.keys[m.index].host.Seed()
	h, err := registry.Acquire(s, "libp2p host", func(context.Context) (host.Host, error) {
		return libp2p.NewHost(libp2p.HostConfig{Key: ed25519.NewKeyFromSeed(seed[:]), Refuse: refuse})
	}, func(_ context.Context, h host.Host) error { return h.Close() })
	if err != nil {
		return nil, err
	}
	return libp2p.Bind(s, h.Value(), libp2p.Config{Protocols: node.Protocols(), Refuse: refuse})
}

// dump writes the tree of the node's scopes.
func (m *member) dump(w io.Writer) error {
	_, err := io.Copy(w, strings.NewReader(registry.Dump(m.scope).String()))
	return err
}
