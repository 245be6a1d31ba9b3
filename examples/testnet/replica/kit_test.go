package replica

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/env"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/examples/testnet/api"
	"github.com/synodkit/synod/examples/testnet/home"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// errDone ends a test's scope.
var errDone = errors.New("done")

// within runs a test in a scope that ends with it.
func within(t *testing.T, body func(ctx context.Context, s *registry.Scope)) {
	t.Helper()
	err := registry.Run(t.Context(), func(ctx context.Context, s *registry.Scope) error {
		body(ctx, s)
		return errDone
	}, registry.WithGrace(20*time.Second))
	require.Equal(t, errDone, err, "%v", err)
}

func newHome(t *testing.T, nodes int, slot time.Duration) home.Home {
	h, err := home.New(home.Params{Nodes: nodes, Slot: slot, Start: env.Now(t.Context())})
	require.NoError(t, err)
	return h
}

// configOf is the configuration of node i, in memory and on any port of loopback.
func configOf(h home.Home, i int) Config {
	return Config{Name: "node" + string(rune('0'+i)), Genesis: h.Genesis, Keys: h.Nodes[i]}
}

// started runs a replica that dials some others, and a client of it.
func started(t *testing.T, ctx context.Context, s *registry.Scope, cfg Config, dial ...*Replica) (*Replica, *api.Client) {
	t.Helper()
	r, err := Listen(ctx, s, cfg)
	require.NoError(t, err)
	var addresses []string
	for _, d := range dial {
		addresses = append(addresses, d.Address())
	}
	require.NoError(t, r.Start(ctx, addresses))
	c, err := api.NewClient(r.URL())
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return r, c
}

// await waits until the replica's status is as wanted.
func await(t *testing.T, ctx context.Context, r *Replica, want func(api.Status) bool) api.Status {
	t.Helper()
	s, err := stm.Query(ctx, func(tx *stm.Tx) api.Status {
		s := r.Status(tx)
		tx.Check(want(s))
		return s
	})
	require.NoError(t, err)
	return s
}

// settled waits until a transfer is pending no more.
func settled(t *testing.T, ctx context.Context, r *Replica, x coin.Transfer) api.Tx {
	t.Helper()
	got, err := stm.Query(ctx, func(tx *stm.Tx) api.Tx {
		got := r.Tx(tx, x.ID())
		tx.Check(got.Stage != api.Pending && got.Stage != api.Unknown)
		return got
	})
	require.NoError(t, err)
	return got
}

// pay is a transfer from the home's first account to its second.
func pay(h home.Home, nonce uint64, change ...func(*coin.Transfer)) coin.Transfer {
	t := coin.Transfer{To: h.Accounts[1].Address(), Amount: 10, Fee: 1, Nonce: nonce}
	for _, f := range change {
		f(&t)
	}
	return coin.Sign(h.Accounts[0].Key, h.Genesis.Hash(), t)
}

// speak opens a raw connection and says something; it never reads.
func speak(t *testing.T, address, text string) net.Conn {
	c, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	_, err = io.WriteString(c, text)
	require.NoError(t, err)
	return c
}

// fetch gets a page.
func fetch(t *testing.T, url string) string {
	defer http.DefaultClient.CloseIdleConnections()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	return string(text)
}

// syncBuffer is a buffer that many may write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
