package chainsel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/registry/registrytest"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func TestMain(m *testing.M) { registrytest.NoLeaks(m) }

// tally is the ledger of the tests: its state says which blocks were applied. A body that starts with "bad" is not valid.
type tally struct{}

type tallied struct {
	n    int
	hash chain.Hash
}

var errBad = errors.New("bad body")

func (tally) Apply(s tallied, b chain.Block) (tallied, error) {
	if strings.HasPrefix(string(b.Body), "bad") {
		return tallied{}, errBad
	}
	return tallied{s.n + 1, chain.HashOf(append(s.hash[:], b.Body...))}, nil
}

var genesis = chain.Tip{Point: chain.Point{Hash: chain.HashOf([]byte("genesis"))}}

// after makes a block one slot after t.
func after(t chain.Tip, body string) chain.Block { return afterBy(t, 1, body) }

func afterBy(t chain.Tip, slots chain.Slot, body string) chain.Block {
	return blockOf(chain.Fields{Slot: t.Point.Slot + slots, BlockNo: t.BlockNo + 1, Prev: t.Point.Hash}, body)
}

func blockOf(f chain.Fields, body string) chain.Block {
	f.BodyHash, f.BodySize = chain.HashOf([]byte(body)), uint32(len(body))
	b, err := chain.NewBlock(chain.NewHeader(f, []byte("proof")), []byte(body))
	if err != nil {
		panic(err)
	}
	return b
}

// run makes n blocks after t; name tells runs apart.
func run(t chain.Tip, n int, name string) []chain.Block {
	out := make([]chain.Block, n)
	for i := range out {
		out[i] = after(t, fmt.Sprintf("%s %d", name, i))
		t = out[i].Header.Tip()
	}
	return out
}

func tipOf(bs []chain.Block) chain.Tip { return bs[len(bs)-1].Header.Tip() }

func config(s store.Store) Config[tallied] {
	return Config[tallied]{Genesis: genesis, K: 5, Ledger: tally{}, Store: s}
}

// open runs f with an open chain.
func open(t require.TestingT, cfg Config[tallied], f func(ctx context.Context, c *Chain[tallied])) {
	require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
		c, err := Open(ctx, s, cfg)
		if err != nil {
			return err
		}
		f(ctx, c)
		return nil
	}))
}

// errDone ends a scope at once, as a crash does.
var errDone = errors.New("done")

// add hands in blocks one after another and gives the last result.
func add(t require.TestingT, ctx context.Context, c *Chain[tallied], bs ...chain.Block) (r Result) {
	for _, b := range bs {
		a, err := c.AddBlock(ctx, b)
		require.NoError(t, err)
		r, err = a.Wait(ctx)
		require.NoError(t, err)
	}
	return r
}

func query[T any](ctx context.Context, q func(*stm.Tx) T) T {
	x, err := stm.Query(ctx, q)
	if err != nil {
		panic(err)
	}
	return x
}
