package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/examples/coin"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// fake is a node that takes what begins with "ok".
type fake struct {
	status *stm.Var[Status]
	taken  *stm.Var[int]
	full   bool
	down   error
}

func newFake() *fake {
	return &fake{status: stm.NewVar(Status{Name: "node0", Height: 4}), taken: stm.NewVar(0)}
}

var errFake = errors.New("not ok")

func (f *fake) Status(tx *stm.Tx) Status { return f.status.Get(tx) }

func (f *fake) set(t testing.TB, change func(*Status)) {
	require.NoError(t, stm.Do(context.Background(), func(tx *stm.Tx) error {
		f.status.Update(tx, func(s Status) Status { change(&s); return s })
		return nil
	}))
}

func (f *fake) Blocks(_ context.Context, from uint64, limit int) ([]Block, error) {
	if from > 100 {
		return nil, f.down
	}
	return []Block{{Height: from, BodyBytes: limit, Transfers: []Transfer{{Amount: 3}}}}, f.down
}

func (f *fake) Submit(ctx context.Context, raw []byte) (chain.Hash, error) {
	switch {
	case f.full:
		return chain.Hash{}, errors.New("no room")
	case len(raw) < 2 || string(raw[:2]) != "ok":
		return chain.Hash{}, &InvalidError{fmt.Errorf("refused: %w", errFake)}
	}
	return chain.HashOf(raw), stm.Do(ctx, func(tx *stm.Tx) error { f.taken.Update(tx, func(n int) int { return n + 1 }); return nil })
}

func (f *fake) Tx(_ *stm.Tx, id chain.Hash) Tx {
	switch id {
	case chain.HashOf([]byte("pending")):
		return Tx{Hash: id, Stage: Pending}
	case chain.HashOf([]byte("included")):
		return Tx{Hash: id, Stage: Included, Block: &Place{Height: 3, Slot: 9}}
	case chain.HashOf([]byte("refused")):
		return Tx{Hash: id, Stage: Refused, Reason: "poor"}
	}
	return Tx{Hash: id, Stage: Unknown}
}

func (f *fake) Account(_ *stm.Tx, a coin.Address) Account {
	return Account{Address: a, Balance: 7, Next: 2}
}

func handlerOf(f *fake) http.Handler {
	return NewHandler(f, Extra{
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "synod_height 4\n") }),
		Scopes:  func(w io.Writer) error { _, err := io.WriteString(w, "scope node0\n"); return err },
	})
}

// serve runs a server over loopback, and a client of it, until the test ends. The context it gives is the node's life.
func serve(t testing.TB, f *fake) (c *Client, address string, end context.CancelFunc) {
	ctx, end := context.WithCancel(context.Background())
	s := httptest.NewUnstartedServer(nil)
	s.Config = NewServer(ctx, handlerOf(f))
	s.Start()
	c, err := NewClient(s.URL)
	require.NoError(t, err)
	t.Cleanup(func() {
		end()
		c.Close()
		s.Close()
	})
	return c, s.Listener.Addr().String(), end
}
