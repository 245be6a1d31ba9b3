package replica

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/p2p"
	"github.com/synodkit/synod/p2p/libp2p"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
)

// TestTransfer: what one node accepts over HTTP is in a block of the other, on both transports.
func TestTransfer(t *testing.T) {
	for _, transport := range []libp2p.Transport{libp2p.TCP, libp2p.QUIC} {
		t.Run(string(transport), func(t *testing.T) {
			h := newHome(t, 2, 100*time.Millisecond)
			within(t, func(ctx context.Context, s *registry.Scope) {
				c0, c1 := configOf(h, 0), configOf(h, 1)
				c0.Transport, c1.Transport = transport, transport
				a, client := started(t, ctx, s, c0)
				b, other := started(t, ctx, s, c1, a)
				await(t, ctx, b, func(s api.Status) bool { return s.Peers == 1 && s.Height > 0 })
				x := pay(h, 0)
				id, err := client.Submit(ctx, x.Bytes())
				require.NoError(t, err)
				require.Equal(t, x.ID(), id)
				got := settled(t, ctx, b, x)
				require.Equal(t, api.Included, got.Stage, got.Reason)

				blocks, err := other.Chain(ctx, got.Block.Height, 1)
				require.NoError(t, err)
				require.Len(t, blocks, 1)
				require.Equal(t, got.Block.Hash, blocks[0].Hash)
				require.Equal(t, []api.Transfer{{
					Hash: id, From: h.Accounts[0].Address(), To: h.Accounts[1].Address(), Amount: 10, Fee: 1, Nonce: 0,
				}}, blocks[0].Transfers)
				account, err := other.Account(ctx, h.Accounts[0].Address())
				require.NoError(t, err)
				require.Equal(t, api.Account{Address: h.Accounts[0].Address(), Balance: 1_000_000 - 11, Next: 1}, account)
				status, err := other.Status(ctx)
				require.NoError(t, err)
				require.Zero(t, status.Mempool.Count+status.Violations)
				require.Equal(t, h.Genesis.Hash(), status.Genesis)
				require.Equal(t, string(b.PeerID()), status.PeerID)
			})
		})
	}
}

// TestEnd: events end with the node.
func TestEnd(t *testing.T) {
	h := newHome(t, 1, 50*time.Millisecond)
	require.NoError(t, registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		running, stop := stm.NewVar[*api.Client](nil), stm.NewVar(false)
		s.Go("node", func(ctx context.Context) error {
			err := registry.Run(ctx, func(ctx context.Context, s *registry.Scope) error {
				_, c := started(t, ctx, s, configOf(h, 0))
				return errors.Join(
					stm.Do(ctx, func(tx *stm.Tx) error { running.Set(tx, c); return nil }),
					stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(stop.Get(tx)); return nil }),
					errDone)
			}, registry.WithGrace(10*time.Second))
			require.ErrorIs(t, err, errDone)
			return nil
		})
		c, err := stm.Query(ctx, func(tx *stm.Tx) *api.Client {
			tx.Check(running.Get(tx) != nil)
			return running.Get(tx)
		})
		if err != nil {
			return err
		}
		for _, last := range c.Events(ctx) {
			if last != nil {
				require.ErrorIs(t, last, api.ErrEnded)
			}
			err = errors.Join(err, stm.Do(ctx, func(tx *stm.Tx) error { stop.Set(tx, true); return nil }))
		}
		return err
	}))
}

// TestBeforeStart: a replica that listens knows its names, and nothing else.
func TestBeforeStart(t *testing.T) {
	h := newHome(t, 1, time.Second)
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, err := Listen(ctx, s, configOf(h, 0))
		require.NoError(t, err)
		status, err := stm.Query(ctx, r.Status)
		require.NoError(t, err)
		require.Equal(t, "node0", status.Name)
		require.Contains(t, r.Address(), "/p2p/"+status.PeerID)
		require.Zero(t, status.Height)
		_, err = r.Submit(ctx, pay(h, 0).Bytes())
		require.ErrorIs(t, err, errNotUp)
		_, err = r.Blocks(ctx, 1, 1)
		require.ErrorIs(t, err, errNotUp)
		known, err := stm.Query(ctx, func(tx *stm.Tx) bool { _, ok := r.HashAt(tx, 1); return ok })
		require.NoError(t, err)
		require.False(t, known)
	})
}

// TestRefused: a socket or store in use, another network's store and an impossible configuration are errors, after which nothing is left.
func TestRefused(t *testing.T) {
	h, other := newHome(t, 1, time.Second), newHome(t, 1, time.Second)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	address := l.Addr().(*net.TCPAddr)
	dir := t.TempDir()
	within(t, func(ctx context.Context, s *registry.Scope) {
		cfg := configOf(other, 0)
		cfg.Dir = dir
		started(t, ctx, s, cfg)
		cfg = configOf(h, 0)
		cfg.Dir = dir
		_, err := Listen(ctx, s, cfg)
		require.ErrorContains(t, err, "in use")
	})
	for name, tc := range map[string]struct {
		change func(c *Config)
		want   string
	}{
		"http in use":    {func(c *Config) { c.HTTP = address.String() }, "address already in use"},
		"libp2p in use":  {func(c *Config) { c.Listen = "/ip4/127.0.0.1/tcp/" + strconv.Itoa(address.Port) }, "address already in use"},
		"other network":  {func(c *Config) { c.Dir = dir }, "another network"},
		"no name":        {func(c *Config) { c.Name = "" }, "Config.Name is missing"},
		"no key":         {func(c *Config) { c.Keys.Host = sign.PrivateKey{} }, "Config.Keys.Host is missing"},
		"no genesis":     {func(c *Config) { c.Genesis.Network = "" }, "Network"},
		"no allocations": {func(c *Config) { c.Genesis.Ledger = []byte{7} }, "Ledger"},
		"transport":      {func(c *Config) { c.Transport = "smoke" }, "smoke"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := configOf(h, 0)
			tc.change(&cfg)
			err := registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
				r, err := Listen(ctx, s, cfg)
				if err != nil {
					return err
				}
				if err := r.Start(ctx, nil); err != nil {
					return err
				}
				return errors.New("it started")
			})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

// TestCut: Refuse and Disconnect together cut a peer off, and it comes back when it is refused no more.
func TestCut(t *testing.T) {
	h := newHome(t, 2, 50*time.Millisecond)
	within(t, func(ctx context.Context, s *registry.Scope) {
		cut := stm.NewVar(false)
		cfg := configOf(h, 0)
		cfg.Refuse = func(p2p.PeerID) bool { return cut.Load(ctx) }
		a, _ := started(t, ctx, s, cfg)
		b, _ := started(t, ctx, s, configOf(h, 1), a)
		both := func(n int) {
			for _, r := range []*Replica{a, b} {
				await(t, ctx, r, func(s api.Status) bool { return s.Peers == n })
			}
		}
		set := func(x bool) {
			require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { cut.Set(tx, x); return nil }))
		}
		both(1)
		set(true)
		a.Disconnect(b.PeerID())
		both(0)
		await(t, ctx, a, func(s api.Status) bool { return s.Height > 6 && s.Peers == 0 })
		set(false)
		both(1)
		height := await(t, ctx, a, func(s api.Status) bool { return s.Rollbacks > 0 || s.Height > 0 }).Height
		same := func(tx *stm.Tx) bool {
			x, ok := a.HashAt(tx, height)
			y, there := b.HashAt(tx, height)
			return ok && there && x == y
		}
		require.NoError(t, stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(same(tx)); return nil }))
		none := await(t, ctx, b, func(api.Status) bool { return true }).Violations
		require.Zero(t, none, "a cut is no violation")
	})
}

// TestHashes: blocks too deep for a rollback are read from the store, and link with those in memory.
func TestHashes(t *testing.T) {
	h := newHome(t, 1, 20*time.Millisecond)
	within(t, func(ctx context.Context, s *registry.Scope) {
		cfg := configOf(h, 0)
		cfg.depth, cfg.Dir = 3, t.TempDir()
		r, c := started(t, ctx, s, cfg)
		await(t, ctx, r, func(s api.Status) bool { return s.Height >= 9 })
		hashes, err := r.Hashes(ctx)
		require.NoError(t, err)
		require.GreaterOrEqual(t, len(hashes), 9)
		blocks, err := c.Chain(ctx, 1, 9)
		require.NoError(t, err)
		require.Len(t, blocks, 9)
		prev := h.Genesis.Hash()
		for i, b := range blocks {
			require.Equal(t, hashes[i], b.Hash)
			require.Equal(t, prev, b.Prev)
			require.EqualValues(t, i+1, b.Height)
			prev = b.Hash
		}
		short, err := c.Chain(ctx, 2, 3)
		require.NoError(t, err)
		require.Equal(t, blocks[1:4], short)
		none, err := c.Chain(ctx, 1<<40, 3)
		require.NoError(t, err)
		require.Empty(t, none)
		old, err := stm.Query(ctx, func(tx *stm.Tx) bool { _, ok := r.HashAt(tx, 1); return ok })
		require.NoError(t, err)
		require.False(t, old, "in the store alone")
	})
}

// TestLongList: a list ends with the block that makes it long, so that no answer is larger than a client reads.
func TestLongList(t *testing.T) {
	h := newHome(t, 1, 20*time.Millisecond)
	within(t, func(ctx context.Context, s *registry.Scope) {
		cfg := configOf(h, 0)
		cfg.listed = 2
		r, c := started(t, ctx, s, cfg)
		for nonce := range uint64(3) {
			_, err := c.Submit(ctx, pay(h, nonce).Bytes())
			require.NoError(t, err)
			settled(t, ctx, r, pay(h, nonce))
		}
		last := settled(t, ctx, r, pay(h, 2)).Block.Height
		await(t, ctx, r, func(s api.Status) bool { return s.Height > last })
		blocks, err := c.Chain(ctx, 1, 1000)
		require.NoError(t, err)
		listed := 0
		for _, b := range blocks {
			require.Less(t, listed, 2, "the list went on")
			listed += len(b.Transfers)
		}
		require.GreaterOrEqual(t, listed, 2)
		require.Less(t, blocks[len(blocks)-1].Height, last+1)
	})
}

// TestObserved: metrics, scopes and logs show the node.
func TestObserved(t *testing.T) {
	h := newHome(t, 1, 20*time.Millisecond)
	var log syncBuffer
	within(t, func(ctx context.Context, s *registry.Scope) {
		cfg := configOf(h, 0)
		cfg.Log = slog.NewTextHandler(&log, nil)
		r, _ := started(t, ctx, s, cfg)
		_, err := r.Submit(ctx, pay(h, 0).Bytes())
		require.NoError(t, err)
		settled(t, ctx, r, pay(h, 0))
		await(t, ctx, r, func(s api.Status) bool { return s.Height >= 3 }) // the first one has been told of
		for path, want := range map[string]string{
			"/metrics":      `synod_events_total{component="forger",kind="forged"}`,
			"/debug/scopes": "libp2p host",
		} {
			require.Contains(t, fetch(t, r.URL()+path), want)
		}
		text := fetch(t, r.URL()+"/metrics")
		for _, want := range []string{"synod_height ", "synod_mempool_transfers 0", `component="mempool",kind="included"`, `component="chain"`} {
			require.Contains(t, text, want)
		}
		var dump bytes.Buffer
		require.NoError(t, r.Dump(&dump))
		require.Contains(t, dump.String(), "http listener")
	})
	require.Contains(t, log.String(), "logger=synod node=node0")
}
