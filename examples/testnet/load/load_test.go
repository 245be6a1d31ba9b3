package load

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// network answers for all nodes of a network that takes whatever comes in order, now and then says that it is full, and makes blocks when told to.
type network struct {
	tip *stm.Var[chain.Hash]

	mu      sync.Mutex
	nonces  map[string]uint64
	pending []chain.Hash
	blocks  []api.Block
	asked   int
	broken  bool // refuses everything
}

// order is what a transfer says here: "account nonce recipient".
func (n *network) post(raw []byte) (status int, body any) {
	var from string
	var nonce uint64
	if _, err := fmt.Sscan(string(raw), &from, &nonce); err != nil || n.broken {
		return http.StatusBadRequest, map[string]string{"error": "no"}
	}
	n.asked++
	switch {
	case n.asked%7 == 0:
		return http.StatusServiceUnavailable, map[string]string{"error": "full"}
	case nonce != n.nonces[from]:
		return http.StatusBadRequest, map[string]string{"error": fmt.Sprintf("nonce %d", nonce)}
	}
	n.nonces[from]++
	n.pending = append(n.pending, chain.HashOf(raw))
	return http.StatusAccepted, api.Receipt{Hash: chain.HashOf(raw)}
}

func (n *network) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	defer n.mu.Unlock()
	status, body := http.StatusOK, any(nil)
	if r.Method == http.MethodPost {
		raw, _ := io.ReadAll(r.Body)
		status, body = n.post(raw)
	} else {
		address, _ := coin.ParseAddress(r.URL.Path[len("/account/"):])
		body = api.Account{Address: address, Next: n.nonces[address.String()]}
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// forge makes a block of what is pending; on is the number of the block before it, so that a smaller one rolls back.
func (n *network) forge(ctx context.Context, on int) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, b := range n.blocks[on:] {
		for _, t := range b.Transfers {
			n.pending = append(n.pending, t.Hash)
		}
	}
	b := api.Block{Height: uint64(on + 1), Slot: 5, Hash: chain.HashOf(fmt.Append(nil, on, len(n.blocks), len(n.pending)))}
	if on > 0 {
		b.Prev = n.blocks[on-1].Hash
	}
	for _, id := range n.pending {
		b.Transfers = append(b.Transfers, api.Transfer{Hash: id})
	}
	n.blocks, n.pending = append(n.blocks[:on:on], b), nil
	return stm.Do(ctx, func(tx *stm.Tx) error { n.tip.Set(tx, b.Hash); return nil })
}

func (n *network) chain(_ context.Context, from uint64, limit int) ([]api.Block, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	from = min(from, uint64(len(n.blocks))+1)
	return n.blocks[from-1 : min(int(from)-1+limit, len(n.blocks))], nil
}

func newLoad(t *testing.T, n *network, urls ...string) *Load {
	cfg := Config{
		Rate: 400, K: 100, Tip: n.tip.Get, Chain: n.chain,
		Nodes: func(tx *stm.Tx) []string {
			up := slices.Clone(urls)
			if len(up) == 3 && n.tip.Get(tx) != (chain.Hash{}) {
				up[2] = "" // goes down with the first block
			}
			return up
		},
		Slot: func(time.Time) chain.Slot { return 3 },
	}
	for i := range 8 {
		cfg.Accounts = append(cfg.Accounts, coin.AddressOf(sign.KeyFromSeed([32]byte{byte(i)}).Public()))
	}
	cfg.Make = func(from, to int, nonce uint64) ([]byte, error) {
		return fmt.Append(nil, cfg.Accounts[from], nonce, to), nil
	}
	l, err := New(cfg)
	require.NoError(t, err)
	return l
}

func newServed(t *testing.T) (*network, []string) {
	n := &network{tip: stm.NewVar(chain.Hash{}), nonces: map[string]uint64{}}
	a, b := httptest.NewServer(n), httptest.NewServer(n)
	t.Cleanup(func() { a.Close(); b.Close() })
	return n, []string{a.URL, b.URL, b.URL}
}

func reach(ctx context.Context, l *Load, f func(Totals) bool) error {
	return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(f(l.Totals(tx))); return nil })
}

// TestLoad: what is accepted is found on the chain, through a rollback, with a node that is often full and one that is down.
func TestLoad(t *testing.T) {
	n, urls := newServed(t)
	l := newLoad(t, n, urls...)
	err := registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		following := registry.Fork(s, "follow", func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Follow(ctx, 0) })
		running := registry.Fork(s, "run", func(ctx context.Context) (struct{}, error) { return struct{}{}, l.Run(ctx) })
		for on, want := range []int{10, 40, 80} { // blocks, of which the last takes the place of the one before
			if err := reach(ctx, l, func(t Totals) bool { return t.Accepted >= want }); err != nil {
				return err
			}
			if err := n.forge(ctx, min(on, 1)); err != nil {
				return err
			}
		}
		if err := l.Stop(ctx); err != nil {
			return err
		}
		if _, err := running.Wait(ctx); err != nil {
			return err
		}
		if err := n.forge(ctx, 2); err != nil {
			return err
		}
		if err := reach(ctx, l, func(t Totals) bool { return t.OnChain == t.Accepted }); err != nil {
			return err
		}
		following.Cancel(nil)
		return nil
	})
	require.NoError(t, err)
	r := l.Report()
	require.GreaterOrEqual(t, r.Accepted, 80)
	require.Empty(t, l.Outstanding(3))
	require.NotEmpty(t, l.Outstanding(0))
	require.Equal(t, 2, r.SlotsP50)
	require.Positive(t, r.PerSecond)
	require.Zero(t, r.Refused, r.FirstRefusal)
}

// TestRefusals: a network that takes nothing is asked with restraint, and its reason is kept.
func TestRefusals(t *testing.T) {
	n, urls := newServed(t)
	n.broken = true
	l := newLoad(t, n, urls...)
	err := registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("run", l.Run)
		if err := reach(ctx, l, func(t Totals) bool { return t.Refused >= 8 && t.Skipped > 0 }); err != nil {
			return err
		}
		return l.Stop(ctx)
	})
	require.NoError(t, err)
	require.Zero(t, l.Report().Accepted)
	require.Equal(t, "no (HTTP 400)", l.Report().FirstRefusal)
}

// TestStopped: a load that still waits for a node to answer can be stopped.
func TestStopped(t *testing.T) {
	n, _ := newServed(t)
	l := newLoad(t, n, "http://127.0.0.1:1")
	err := registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		s.Go("run", l.Run)
		return l.Stop(ctx)
	})
	require.NoError(t, err)
}

// TestCancelled: a run ends at once when its context does, whatever is under way.
func TestCancelled(t *testing.T) {
	n, _ := newServed(t)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		}
	}))
	defer silent.Close()
	l := newLoad(t, n, silent.URL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, l.Run(ctx), context.Canceled)
}

// TestConfig: what cannot work is refused, naming the field.
func TestConfig(t *testing.T) {
	n, _ := newServed(t)
	good := newLoad(t, n).cfg
	for want, spoil := range map[string]func(*Config){
		"Config.Rate is 0":         func(c *Config) { c.Rate = 0 },
		"Config.Rate is 10001":     func(c *Config) { c.Rate = 10001 },
		"Config.Accounts is empty": func(c *Config) { c.Accounts = nil },
		"Config.K is 0":            func(c *Config) { c.K = 0 },
		"lacks a function":         func(c *Config) { c.Make = nil },
	} {
		c := good
		spoil(&c)
		_, err := New(c)
		require.ErrorContains(t, err, want)
	}
}
