package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/examples/testnet/replica"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// member is one node of the network, wherever it runs.
type member interface {
	// status is the newest one known. Its URL is empty while the node does not run.
	status(tx *stm.Tx) api.Status
	// hashAt is the hash of the selected block with a number, if it is known.
	hashAt(tx *stm.Tx, number uint64) (chain.Hash, bool)
	// hashes are those of the whole selected chain, block 1 first.
	hashes(ctx context.Context) ([]chain.Hash, error)
	// recorded are the violations that it has recorded against others.
	recorded(ctx context.Context) ([]string, error)
	// holds reports whether a transfer is pending there or on its chain.
	holds(ctx context.Context, id chain.Hash) (bool, error)
}

// local is a node in this process.
type local struct {
	name    string
	replica *replica.Replica // set before its daemon is ready
}

// serve opens what the node needs, says that it listens, and runs it once it is told whom to dial.
func (m *local) serve(ctx context.Context, s *registry.Scope, cfg replica.Config, ready func(), dial func(*stm.Tx) []string) error {
	var err error
	if m.replica, err = replica.Listen(ctx, s, cfg); err != nil {
		return err
	}
	ready()
	addresses, err := stm.Query(ctx, dial)
	if err != nil {
		return err
	}
	return m.replica.Start(ctx, addresses)
}

// config is the one of node i.
func (r *run) config(i int, refuse func(p2p.PeerID) bool) replica.Config {
	c := replica.Config{
		Name: nodeName(i), Genesis: r.home.Genesis, Keys: r.home.Nodes[i], HTTP: r.http(i),
		Transport: libp2p.Transport(r.options.transport), Refuse: refuse, Log: r.logs.handler,
	}
	if r.home.Dir != "" {
		c.Dir = filepath.Join(r.home.NodeDir(i), home.StoreFolder)
	}
	return c
}

// http is the address that node i's server listens on.
func (r *run) http(i int) string {
	port := r.options.basePort
	if port > 0 {
		port += i
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// blame names the flag that an error of a node, which names the node, comes from.
func (r *run) blame(err error) error {
	var refused *net.OpError
	if r.options.basePort > 0 && errors.As(err, &refused) && refused.Op == "listen" {
		return fmt.Errorf("--base-port %d: %w", r.options.basePort, err)
	}
	return err
}

func nodeName(i int) string { return fmt.Sprintf("node%d", i) }

func (m *local) up(tx *stm.Tx) bool { return m.replica.Node(tx) != nil }

func (m *local) status(tx *stm.Tx) api.Status { return m.replica.Status(tx) }

func (m *local) hashAt(tx *stm.Tx, number uint64) (chain.Hash, bool) {
	return m.replica.HashAt(tx, number)
}

func (m *local) hashes(ctx context.Context) ([]chain.Hash, error) { return m.replica.Hashes(ctx) }

func (m *local) recorded(ctx context.Context) ([]string, error) {
	return stm.Query(ctx, func(tx *stm.Tx) (out []string) {
		for _, v := range m.replica.Node(tx).Violations(tx) {
			out = append(out, v.Error())
		}
		return out
	})
}

func (m *local) holds(ctx context.Context, id chain.Hash) (bool, error) {
	t, err := stm.Query(ctx, func(tx *stm.Tx) api.Tx { return m.replica.Tx(tx, id) })
	return there(t), err
}

func there(t api.Tx) bool { return t.Stage == api.Pending || t.Stage == api.Included }
