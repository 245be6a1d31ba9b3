package chainsel

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

// TestBadBlocksCostNothing: what a block's bytes alone disprove is refused on the caller's task and blames no hash.
func TestBadBlocksCostNothing(t *testing.T) {
	errProof := errors.New("bad proof")
	cfg := config(store.NewMemory())
	cfg.CheckHeader = func(h *chain.Header) error {
		if string(h.Proof()) != "proof" {
			return errProof
		}
		return nil
	}
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		good := after(genesis, "good")
		_, err := c.AddBlock(ctx, chain.Block{Header: good.Header, Body: []byte("evil")})
		require.ErrorIs(t, err, ErrInvalid)
		require.ErrorIs(t, err, chain.ErrBody)
		var bad *InvalidError
		require.ErrorAs(t, err, &bad)
		require.Equal(t, good.Header.Tip(), bad.Block)

		forged := chain.Block{Header: chain.NewHeader(good.Header.Fields(), []byte("prooof")), Body: good.Body}
		_, err = c.AddBlock(ctx, forged)
		require.ErrorIs(t, err, errProof)
		_, err = c.AddBlock(ctx, chain.Block{})
		require.ErrorIs(t, err, ErrInvalid)
		require.Zero(t, query(ctx, c.invalid.Get).Len())

		require.Equal(t, Extended, add(t, ctx, c, good).Verdict, "the body was the liar's, not the header's")
	})
}

func TestDuplicates(t *testing.T) {
	open(t, config(store.NewMemory()), func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 10, "a")
		add(t, ctx, c, a...)
		side, far := after(a[7].Header.Tip(), "side"), run(tipOf(a), 2, "far")[1]
		for _, x := range []struct {
			b      chain.Block
			want   Verdict
			stored bool
		}{{side, NotBetter, true}, {far, Waiting, true}, {a[8], Extended, true}, {a[2], TooOld, false}} {
			for range 2 {
				p, err := c.AddBlock(ctx, x.b)
				require.NoError(t, err)
				r, err := p.Wait(ctx)
				require.NoError(t, err)
				require.Equal(t, x.want, r.Verdict)
				require.Equal(t, x.stored, query(ctx, p.Stored))
			}
		}
		n, _ := volatileSize(ctx, c)
		require.Equal(t, 2, n)
	})
}

// TestInvalidMiddle: the valid prefix of a better chain with an invalid block is kept, and selected if it is better.
func TestInvalidMiddle(t *testing.T) {
	open(t, config(store.NewMemory()), func(ctx context.Context, c *Chain[tallied]) {
		a := run(genesis, 2, "a")
		add(t, ctx, c, a...)
		b := run(genesis, 3, "b")
		bad := run(tipOf(b), 2, "bad")
		all := append(b, bad...)
		r := add(t, ctx, c, all[4], all[3], all[2], all[1], all[0])
		require.Equal(t, Result{Verdict: Switched, Tip: tipOf(all[:3])}, r)
		require.ErrorIs(t, query(ctx, func(tx *stm.Tx) error { return c.Invalid(tx, bad[0].Header.Hash()) }), errBad)
		require.NoError(t, query(ctx, func(tx *stm.Tx) error { return c.Invalid(tx, bad[1].Header.Hash()) }), "not to blame")
		require.False(t, query(ctx, func(tx *stm.Tx) bool { return c.Has(tx, bad[1].Header.Hash()) }))
	})
}

// counting counts the blocks the ledger applies.
type counting struct{ n *int }

func (l counting) Apply(s tallied, b chain.Block) (tallied, error) {
	*l.n++
	return tally{}.Apply(s, b)
}

// TestAppliesEachBlockOnce: what was valid once is not judged again, however often the selection moves over it.
func TestAppliesEachBlockOnce(t *testing.T) {
	n := 0
	cfg := config(store.NewMemory())
	cfg.K, cfg.Ledger = 100, counting{&n}
	open(t, cfg, func(ctx context.Context, c *Chain[tallied]) {
		a, b := genesis, genesis
		total := 0
		for i := range 10 { // two chains that overtake each other
			for range 2 {
				x := after(a, fmt.Sprint("a", i))
				add(t, ctx, c, x)
				a = x.Header.Tip()
			}
			a, b = b, a
			total += 2
		}
		require.Contains(t, []int{total - 2, total}, n) // those of the worse chain's end were not needed
		require.Greater(t, query(ctx, c.Rollbacks), uint64(3))
	})
}
