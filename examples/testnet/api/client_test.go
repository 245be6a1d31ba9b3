package api

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
)

// TestClient: what the handler says arrives.
func TestClient(t *testing.T) {
	f := newFake()
	c, _, _ := serve(t, f)
	ctx := t.Context()
	s, err := c.Status(ctx)
	require.NoError(t, err)
	require.Equal(t, Status{Name: "node0", Height: 4}, s)
	blocks, err := c.Chain(ctx, 3, 10)
	require.NoError(t, err)
	require.Equal(t, []Block{{Height: 3, BodyBytes: 10, Transfers: []Transfer{{Amount: 3}}}}, blocks)
	id, err := c.Submit(ctx, []byte("ok"))
	require.NoError(t, err)
	require.Equal(t, chain.HashOf([]byte("ok")), id)
	_, err = c.Submit(ctx, []byte("bad"))
	require.Equal(t, &StatusError{http.StatusBadRequest, "refused: not ok"}, err)
	require.EqualError(t, err, "refused: not ok (HTTP 400)")
	for _, stage := range []Stage{Pending, Included, Refused, Unknown} {
		got, err := c.Tx(ctx, chain.HashOf([]byte(stage)))
		require.NoError(t, err)
		require.Equal(t, stage, got.Stage)
		require.Equal(t, chain.HashOf([]byte(stage)), got.Hash)
	}
	a := coin.AddressOf(sign.KeyFromSeed([32]byte{1}).Public())
	account, err := c.Account(ctx, a)
	require.NoError(t, err)
	require.Equal(t, Account{Address: a, Balance: 7, Next: 2}, account)
}
