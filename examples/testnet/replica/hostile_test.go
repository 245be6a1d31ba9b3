package replica

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/mempool"
	"github.com/synodkit/synod/registry"
)

// TestHostileTransfers: each is refused with the reason, and leaves accounts, pool and root as they were.
func TestHostileTransfers(t *testing.T) {
	h := newHome(t, 1, time.Hour) // no block comes between
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, c := started(t, ctx, s, configOf(h, 0))
		good := pay(h, 0)
		foreign := coin.Sign(h.Accounts[0].Key, chain.HashOf([]byte("elsewhere")), good)
		theft := good
		theft.Signature = coin.Sign(h.Accounts[1].Key, h.Genesis.Hash(), good).Signature
		changed := good
		changed.Amount++
		disguised := foreign // says that it is ours, but is signed for another network
		disguised.Network = good.Network
		before := await(t, ctx, r, func(api.Status) bool { return true })
		for name, tc := range map[string]struct {
			raw    []byte
			status int
			want   string
		}{
			"empty":          {nil, 400, "malformed"},
			"garbage":        {[]byte("garbage"), 400, "malformed"},
			"JSON":           {[]byte(`{"to":"bob"}`), 400, "malformed"},
			"cut short":      {good.Bytes()[:100], 400, "malformed"},
			"trailing":       {append(good.Bytes(), 0), 400, "malformed"},
			"long":           {make([]byte, api.TxBytesMax), 400, "at most"},
			"too long":       {make([]byte, api.TxBytesMax+1), 413, "more than 65536 bytes"},
			"nothing":        {pay(h, 0, func(t *coin.Transfer) { t.Amount = 0 }).Bytes(), 400, "the amount is 0"},
			"no fee":         {pay(h, 0, func(t *coin.Transfer) { t.Fee = 0 }).Bytes(), 400, "the fee is 0"},
			"overflow":       {pay(h, 0, func(t *coin.Transfer) { t.Amount, t.Fee = 1<<64-1, 2 }).Bytes(), 400, "exceed 64 bits"},
			"not affordable": {pay(h, 0, func(t *coin.Transfer) { t.Amount = 1_000_000 }).Bytes(), 400, "has 1000000, amount and fee need 1000001"},
			"early":          {pay(h, 7).Bytes(), 400, "nonce 7 is too early, the next of " + h.Accounts[0].Address().String() + " is 0"},
			"other network":  {foreign.Bytes(), 400, "it is for the network whose genesis hash starts with"},
			"disguised":      {disguised.Bytes(), 400, "it is not signed by the key"},
			"theft":          {theft.Bytes(), 400, "it is not signed by the key"},
			"changed":        {changed.Bytes(), 400, "it is not signed by the key"},
		} {
			_, err := c.Submit(ctx, tc.raw)
			var refused *api.StatusError
			require.ErrorAs(t, err, &refused, name)
			require.Equal(t, tc.status, refused.Status, name)
			require.Contains(t, refused.Reason, tc.want, name)
			known, err := c.Tx(ctx, chain.HashOf(tc.raw))
			require.NoError(t, err)
			require.Equal(t, api.Unknown, known.Stage, name)
		}
		require.Equal(t, before, await(t, ctx, r, func(api.Status) bool { return true }))
		_, err := c.Submit(ctx, good.Bytes())
		require.NoError(t, err, "the rightful one is still welcome")
	})
}

// TestReplayed: a transfer that has been made is refused, in the same bytes and in others; one that is pending may be handed in again.
func TestReplayed(t *testing.T) {
	h := newHome(t, 1, 100*time.Millisecond)
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, c := started(t, ctx, s, configOf(h, 0))
		x := pay(h, 0)
		_, err := c.Submit(ctx, x.Bytes())
		require.NoError(t, err)
		_, err = c.Submit(ctx, x.Bytes())
		if err != nil { // a block came between
			require.ErrorContains(t, err, "already")
		}
		require.Equal(t, api.Included, settled(t, ctx, r, x).Stage)
		_, err = c.Submit(ctx, x.Bytes())
		require.ErrorContains(t, err, "is in block")
		require.ErrorContains(t, err, "(HTTP 400)")
		_, err = c.Submit(ctx, pay(h, 0, func(t *coin.Transfer) { t.Amount++ }).Bytes())
		require.ErrorContains(t, err, "has made its transfer of nonce 0 already, the next is 1")
		account, err := c.Account(ctx, h.Accounts[0].Address())
		require.NoError(t, err)
		require.Equal(t, api.Account{Address: h.Accounts[0].Address(), Balance: 1_000_000 - 11, Next: 1}, account)
	})
}

// TestAcceptedIsDurable: what was answered with 202 is pending again after a restart from the directory, until a node that may forge puts it into a block.
func TestAcceptedIsDurable(t *testing.T) {
	h := newHome(t, 1, 50*time.Millisecond)
	cfg := configOf(h, 0)
	cfg.Dir = t.TempDir()
	follower := cfg
	follower.Keys.Leader = sign.PrivateKey{}
	within(t, func(ctx context.Context, s *registry.Scope) {
		_, c := started(t, ctx, s, follower)
		for nonce := range uint64(3) {
			_, err := c.Submit(ctx, pay(h, nonce).Bytes())
			require.NoError(t, err)
		}
		account, err := c.Account(ctx, h.Accounts[0].Address())
		require.NoError(t, err)
		require.Equal(t, api.Account{Address: h.Accounts[0].Address(), Balance: 1_000_000, Next: 3}, account, "the next nonce counts what is pending")
	})
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, c := started(t, ctx, s, follower)
		require.Equal(t, 3, await(t, ctx, r, func(api.Status) bool { return true }).Mempool.Count)
		got, err := c.Tx(ctx, pay(h, 2).ID())
		require.NoError(t, err)
		require.Equal(t, api.Pending, got.Stage)
	})
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, _ := started(t, ctx, s, cfg)
		for nonce := range uint64(3) {
			require.Equal(t, api.Included, settled(t, ctx, r, pay(h, nonce)).Stage)
		}
	})
}

// TestFull: what finds no room is 503 and not accepted, though it is valid; nothing of it is left.
func TestFull(t *testing.T) {
	h := newHome(t, 1, time.Hour)
	within(t, func(ctx context.Context, s *registry.Scope) {
		cfg := configOf(h, 0)
		cfg.limits = mempool.Limits{CountMax: 4, LocalMax: 2}
		r, c := started(t, ctx, s, cfg)
		for nonce := range uint64(2) {
			_, err := c.Submit(ctx, pay(h, nonce).Bytes())
			require.NoError(t, err)
		}
		_, err := c.Submit(ctx, pay(h, 2).Bytes())
		var full *api.StatusError
		require.ErrorAs(t, err, &full)
		require.Equal(t, http.StatusServiceUnavailable, full.Status)
		require.Contains(t, full.Reason, "full")
		require.Equal(t, 2, await(t, ctx, r, func(api.Status) bool { return true }).Mempool.Count)
		got, err := c.Tx(ctx, pay(h, 2).ID())
		require.NoError(t, err)
		require.Equal(t, api.Unknown, got.Stage)
		_, err = c.Submit(ctx, pay(h, 1).Bytes())
		require.NoError(t, err, "what is in may be handed in again")
	})
}

// TestHostileClients: who sends nothing, or half, or never reads, does not keep a node from answering others, nor from ending.
func TestHostileClients(t *testing.T) {
	h := newHome(t, 1, 20*time.Millisecond)
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, c := started(t, ctx, s, configOf(h, 0))
		host := strings.TrimPrefix(r.URL(), "http://")
		for range 100 {
			speak(t, host, "")
			speak(t, host, "POST /tx HTTP/1.1\r\nHost: x\r\nContent-Length: 65536\r\n\r\nhalf")
		}
		for range 100 { // more than may subscribe; none reads
			speak(t, host, "GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
		}
		for range 50 {
			speak(t, host, "GET /chain?limit=1000 HTTP/1.1\r\nHost: x\r\n\r\n")
		}
		_, err := c.Submit(ctx, pay(h, 0).Bytes())
		require.NoError(t, err)
		require.Equal(t, api.Included, settled(t, ctx, r, pay(h, 0)).Stage)
		_, err = c.Status(ctx)
		require.NoError(t, err)
	})
}

// TestConnectionsBounded: above the limit a connection waits until another is closed.
func TestConnectionsBounded(t *testing.T) {
	h := newHome(t, 1, time.Hour)
	within(t, func(ctx context.Context, s *registry.Scope) {
		r, c := started(t, ctx, s, configOf(h, 0))
		host := strings.TrimPrefix(r.URL(), "http://")
		var last interface{ Close() error }
		for range connsMax {
			last = speak(t, host, "")
		}
		answered := registry.Fork(s, "status", func(ctx context.Context) (int, error) {
			res, err := http.Get(r.URL() + "/status")
			if err != nil {
				return 0, err
			}
			defer http.DefaultClient.CloseIdleConnections()
			return res.StatusCode, res.Body.Close()
		})
		require.NoError(t, last.Close())
		code, err := answered.Wait(ctx)
		require.NoError(t, err)
		require.Equal(t, 200, code)
		c.Close()
	})
}
