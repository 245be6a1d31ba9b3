package coin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chainsel"
	"github.com/synodkit/synod/registry"
	"github.com/synodkit/synod/stm"
	"github.com/synodkit/synod/store"
)

func encoded(s State) []byte { return slices.Concat(slices.Collect(cloned(s))...) }

func cloned(s State) func(func([]byte) bool) {
	return func(yield func([]byte) bool) {
		EncodeState(s)(func(b []byte) bool { return yield(bytes.Clone(b)) })
	}
}

// decoded reads a state that a block commits to.
func decoded(t testing.TB, l Ledger, s State, raw []byte) (State, error) {
	return l.DecodeState(bytes.NewReader(raw), blockOf(t, 1, rawBody(s.Root())))
}

func TestStateRoundTrip(t *testing.T) {
	funds := make([]uint64, 3*recordsOnce)
	for i := range funds {
		funds[i] = uint64(i)
	}
	for _, n := range []int{0, 1, 2, recordsOnce, recordsOnce + 1, len(funds)} {
		l, s := ledgerOf(t, funds[:n]...)
		raw := encoded(s)
		got, err := decoded(t, l, s, raw)
		require.NoError(t, err)
		require.Equal(t, contentOf(s.accounts), contentOf(got.accounts))
		require.Equal(t, s.Supply(), got.Supply())
		require.Equal(t, s.Root(), got.Root())
		require.Equal(t, raw, encoded(got))
	}
}

// TestSpoiltStates: no change of an encoding gives another state, or a panic. Planted: without the root a balance moved to another account would pass.
func TestSpoiltStates(t *testing.T) {
	l, s := ledgerOf(t, 5, 6, 7)
	raw := encoded(s)
	refused := func(what string, b []byte) {
		_, err := decoded(t, l, s, b)
		require.ErrorIs(t, err, ErrState, what)
	}
	for i := range 8 * len(raw) {
		b := bytes.Clone(raw)
		b[i/8] ^= 1 << (i % 8)
		refused(fmt.Sprint("bit ", i), b)
	}
	for i := range len(raw) {
		refused(fmt.Sprint("cut at ", i), raw[:i])
	}
	refused("twice", append(bytes.Clone(raw), raw[1:]...))
	refused("longer", append(bytes.Clone(raw), 0))
	swapped := slices.Concat(raw[:1], raw[1+recordBytes:1+2*recordBytes], raw[1:1+recordBytes], raw[1+2*recordBytes:])
	refused("another order", swapped)

	moved := bytes.Clone(raw)
	moved[1+addressBytes+7]++
	moved[1+recordBytes+addressBytes+7]--
	refused("moved", moved)
	got, err := decodeAccounts(bytes.NewReader(moved))
	require.NoError(t, err, "the check would not notice")
	require.Equal(t, s.Supply(), got.Supply())
	require.NotEqual(t, s.Root(), got.Root())

	_, err = l.DecodeState(bytes.NewReader(raw), blockOf(t, 1, []byte("no body")))
	require.ErrorIs(t, err, ErrState)
	other, _ := ledgerOf(t, 5, 6, 8)
	_, err = decoded(t, other, s, raw)
	require.ErrorContains(t, err, "supply of 18 instead of 19")
	broken := errors.New("broken")
	_, err = l.DecodeState(io.MultiReader(bytes.NewReader(raw[:50]), failingReader{broken}), blockOf(t, 1, rawBody(s.Root())))
	require.ErrorIs(t, err, broken)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func FuzzDecodeState(f *testing.F) {
	l, s := ledgerOf(f, 5, 6, 7)
	f.Add(encoded(s))
	f.Add([]byte{stateVersion})
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := decodeAccounts(bytes.NewReader(raw))
		if err == nil && !bytes.Equal(encoded(got), raw) {
			t.Fatalf("%x became %x", raw, encoded(got))
		}
		if _, err := decoded(t, l, s, raw); err == nil && !bytes.Equal(encoded(s), raw) {
			t.Fatalf("%x passed", raw)
		}
	})
}

// chained makes n blocks with so many transfers each, by keys 0 to the number of funds, and hands each to f.
func chained(t testing.TB, l Ledger, s State, accounts, n, transfers int, f func(chain.Block, State)) {
	tip, made := chain.Tip{Point: chain.Point{Hash: l.genesis}}, 0
	nonces := make([]uint64, accounts)
	for range n {
		var ts []Transfer
		for range transfers {
			from := made % accounts
			ts = append(ts, l.pay(from, (made*7919+13)%accounts, 1, nonces[from]))
			nonces[from]++
			made++
		}
		slot := tip.Point.Slot + 1
		raw := l.Body(s, slot, ts)
		h := chain.NewHeader(chain.Fields{Slot: slot, BlockNo: tip.BlockNo + 1, Prev: tip.Point.Hash, BodyHash: chain.HashOf(raw), BodySize: uint32(len(raw))}, nil)
		b, err := chain.NewBlock(h, raw)
		require.NoError(t, err)
		s, err = l.Apply(s, b)
		require.NoError(t, err)
		tip = h.Tip()
		f(b, s)
	}
}

// TestChainOfCoinsResumes: a chain of this ledger goes on from its snapshot, and not from one that was planted.
func TestChainOfCoinsResumes(t *testing.T) {
	l, initial := ledgerOf(t, 1000, 1000, 1000)
	mem := store.NewMemory()
	var kinds []string
	cfg := chainsel.Config[State]{
		Genesis: chain.Tip{Point: chain.Point{Hash: l.genesis}}, Initial: initial, K: 5, Ledger: l, Store: mem,
		Tracer: func(_ context.Context, e chainsel.Event) {
			if e.Snapshot == "used" || e.Snapshot == "unusable" { // both by Open, before its tasks start
				kinds = append(kinds, e.Snapshot)
			}
		},
	}
	live := func(f func(ctx context.Context, c *chainsel.Chain[State]) error) {
		kinds = nil
		require.NoError(t, registry.Run(context.Background(), func(ctx context.Context, s *registry.Scope) error {
			c, err := chainsel.Open(ctx, s, cfg)
			if err != nil {
				return err
			}
			return f(ctx, c)
		}))
	}
	var root chain.Hash
	live(func(ctx context.Context, c *chainsel.Chain[State]) error {
		var last *chainsel.Added
		chained(t, l, initial, 3, 40, 2, func(b chain.Block, s State) {
			var err error
			last, err = c.AddBlock(ctx, b)
			require.NoError(t, err)
			root = s.Root()
		})
		_, err := last.Wait(ctx)
		return err
	})
	snapshot := func(ctx context.Context, c *chainsel.Chain[State]) error {
		return stm.Do(ctx, func(tx *stm.Tx) error { tx.Check(c.Snapshot(tx).BlockNo == 35); return nil })
	}
	same := func(ctx context.Context, c *chainsel.Chain[State]) error {
		sel, err := stm.Query(ctx, c.Selection)
		require.NoError(t, err)
		require.EqualValues(t, 40, sel.Tip().BlockNo)
		require.Equal(t, root, sel.State.Root())
		return nil
	}
	cfg.Encode, cfg.Decode, cfg.SnapshotEvery, cfg.Store = EncodeState, l.DecodeState, 10, mem.Reopen()
	live(snapshot)
	live(same)
	require.Equal(t, []string{"used"}, kinds)
	cfg.Encode = func(s State) iter.Seq[[]byte] { return EncodeState(s.credit(addressOf(2), 1)) }
	cfg.Store = mem.Reopen() // planted: a snapshot with a coin more
	live(snapshot)
	live(same)
	require.Equal(t, []string{"unusable"}, kinds)
}
