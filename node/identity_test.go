package node_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/node"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/store"
)

// start starts a node and ends it at once.
func start(ctx context.Context, cfg config) error {
	return scoped(ctx, func(ctx context.Context, s *registry.Scope) error {
		_, err := node.Start(ctx, s, cfg)
		return err
	})
}

func entries(t *testing.T, st store.Store) (out []store.Entry) {
	for e, err := range st.Scan(nil, nil) {
		require.NoError(t, err)
		out = append(out, e)
	}
	return out
}

// TestIdentity: a store keeps to the network of its first start.
func TestIdentity(t *testing.T) {
	ctx := t.Context()
	w := newWorld(ctx, 1)
	cfg, err := w.config(ctx, 0)
	require.NoError(t, err)
	require.NoError(t, start(ctx, cfg))
	require.NoError(t, start(ctx, cfg))
	before := entries(t, cfg.Store)

	other := cfg
	other.Genesis.Network = "other"
	var wrong *node.IdentityError
	require.ErrorAs(t, start(ctx, other), &wrong)
	require.Equal(t, node.IdentityError{Field: "network", Ours: `"other"`, Stored: `"test"`}, *wrong)
	require.ErrorIs(t, wrong, node.ErrIdentity)

	other = cfg
	other.Genesis.Nonce = []byte("other")
	require.ErrorAs(t, start(ctx, other), &wrong)
	require.Equal(t, node.IdentityError{Field: "genesis", Ours: other.Genesis.Hash().String(), Stored: cfg.Genesis.Hash().String()}, *wrong)
	require.Equal(t, before, entries(t, cfg.Store), "nothing was overwritten")
}

// TestForeignStore: a store that holds something else, or a damaged record, is refused and left as it is.
func TestForeignStore(t *testing.T) {
	ctx := t.Context()
	w := newWorld(ctx, 1)
	for key, want := range map[string]string{"letters/1": "letters/1", "node/identity": "corrupt"} {
		cfg, err := w.config(ctx, 0)
		require.NoError(t, err)
		b := new(store.Batch)
		b.Put([]byte(key), []byte("dear"))
		ticket, err := cfg.Store.Apply(ctx, b, store.Durable)
		require.NoError(t, err)
		require.NoError(t, ticket.Wait(ctx))
		before := entries(t, cfg.Store)
		require.ErrorContains(t, start(ctx, cfg), want)
		require.Equal(t, before, entries(t, cfg.Store))
	}
}

// TestConfig: an impossible configuration is an error that names the field, and nothing is written.
func TestConfig(t *testing.T) {
	ctx := t.Context()
	w := newWorld(ctx, 1)
	good, err := w.config(ctx, 0)
	require.NoError(t, err)
	for field, spoil := range map[string]func(*config){
		"Genesis":  func(c *config) { c.Genesis.Network = "" },
		"Network":  func(c *config) { c.Network = nil },
		"Store":    func(c *config) { c.Store = nil },
		"Peers":    func(c *config) { c.Peers = nil },
		"TxBytes":  func(c *config) { c.BodyBytesMax, c.Mempool.TxBytesMax = 1000, 1001 },
		"Body":     func(c *config) { c.BodyBytesMax = chain.BodyBytesMax + 1 },
		"RetryMax": func(c *config) { c.RetryMin, c.RetryMax = 2, 1 },
		"leader":   func(c *config) { c.Key = key(7) },
		"K":        func(c *config) { c.K = 0 },
		"Ledger":   func(c *config) { c.Ledger = nil },
	} {
		cfg := good
		spoil(&cfg)
		require.ErrorContains(t, start(ctx, cfg), field)
		require.Empty(t, entries(t, good.Store), field)
	}
}
