package chain_test

import (
	"bytes"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
)

func genesis() chain.Genesis {
	return chain.Genesis{
		Network: "net", Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), SlotLength: time.Second,
		Keys: [][]byte{bytes.Repeat([]byte{1}, 32), bytes.Repeat([]byte{2}, 32)}, Nonce: []byte("nonce"), Ledger: []byte("allocations"),
	}
}

func TestGenesisRoundTrip(t *testing.T) {
	g := genesis()
	got, err := chain.DecodeGenesis(g.Bytes())
	require.NoError(t, err)
	require.Equal(t, g, got)
	require.Equal(t, g.Hash(), got.Tip().Point.Hash)
	other := genesis()
	other.Nonce = []byte("another")
	require.NotEqual(t, g.Hash(), other.Hash())
}

// What the ledger starts from is part of the network's name, and passes through as it is.
func TestGenesisLedger(t *testing.T) {
	g := genesis()
	seen := map[chain.Hash]int{}
	for _, n := range []int{0, 1, 23, 24, 255, 256, 65536, chain.LedgerBytesMax} {
		g.Ledger = bytes.Repeat([]byte{7}, n)
		got, err := chain.DecodeGenesis(g.Bytes())
		require.NoError(t, err, n)
		require.True(t, bytes.Equal(g.Ledger, got.Ledger), n)
		require.Equal(t, g.Hash(), got.Hash(), n)
		seen[g.Hash()] = n
	}
	require.Len(t, seen, 8)
	g.Ledger = nil
	got, err := chain.DecodeGenesis(g.Bytes())
	require.NoError(t, err)
	require.Equal(t, g, got, "no bytes are nil, as a genesis that says nothing has them")

	g.Ledger = make([]byte, chain.LedgerBytesMax+1)
	_, err = chain.DecodeGenesis(g.Bytes())
	require.ErrorIs(t, err, chain.ErrTooLong)

	// The largest genesis of all is still one that can be read.
	g = genesis()
	g.Network, g.Nonce = strings.Repeat("n", 64), make([]byte, 64)
	g.Start, g.SlotLength = time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), 24*time.Hour
	g.Keys = slices.Repeat([][]byte{make([]byte, 32)}, 1024)
	g.Ledger = make([]byte, chain.LedgerBytesMax)
	_, err = chain.DecodeGenesis(g.Bytes())
	require.NoError(t, err)
}

func TestGenesisNamesTheField(t *testing.T) {
	for _, c := range []struct {
		field string
		spoil func(*chain.Genesis)
	}{
		{"Network", func(g *chain.Genesis) { g.Network = "" }},
		{"Network", func(g *chain.Genesis) { g.Network = string(make([]byte, 65)) }},
		{"Network", func(g *chain.Genesis) { g.Network = "\xff" }},
		{"Start", func(g *chain.Genesis) { g.Start = g.Start.Add(time.Microsecond) }},
		{"Start", func(g *chain.Genesis) { g.Start = time.Time{} }},
		{"SlotLength", func(g *chain.Genesis) { g.SlotLength = 0 }},
		{"SlotLength", func(g *chain.Genesis) { g.SlotLength = -time.Second }},
		{"SlotLength", func(g *chain.Genesis) { g.SlotLength = time.Microsecond }},
		{"SlotLength", func(g *chain.Genesis) { g.SlotLength = 25 * time.Hour }},
		{"Keys", func(g *chain.Genesis) { g.Keys = nil }},
		{"Keys", func(g *chain.Genesis) { g.Keys = [][]byte{make([]byte, 31)} }},
		{"Keys", func(g *chain.Genesis) { g.Keys = make([][]byte, 1025) }},
		{"Nonce", func(g *chain.Genesis) { g.Nonce = make([]byte, 65) }},
		{"Ledger", func(g *chain.Genesis) { g.Ledger = make([]byte, chain.LedgerBytesMax+1) }},
	} {
		g := genesis()
		c.spoil(&g)
		var bad *chain.GenesisError
		require.ErrorAs(t, g.Validate(), &bad)
		require.Equal(t, c.field, bad.Field)
		require.ErrorIs(t, bad, chain.ErrGenesis)
	}
}

// Slot n lasts from SlotStart(n), included, to SlotStart(n+1), excluded.
func TestSlots(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := genesis()
		g.SlotLength = time.Duration(rapid.IntRange(1, 86_400_000).Draw(rt, "ms")) * time.Millisecond
		s := chain.Slot(rapid.Uint64Range(1, 1<<24).Draw(rt, "slot"))
		start, end := g.SlotStart(s), g.SlotStart(s+1)
		if end.Year() > 9998 {
			rt.Skip("after the end of time")
		}
		require.Equal(rt, g.SlotLength, end.Sub(start))
		require.Equal(rt, s, g.SlotAt(start))
		require.Equal(rt, s, g.SlotAt(end.Add(-1)))
		require.Equal(rt, s-1, g.SlotAt(start.Add(-1)))
	})
}

func TestSlotsAtTheEdges(t *testing.T) {
	g := genesis()
	require.Zero(t, g.SlotAt(time.Time{}))
	require.Zero(t, g.SlotAt(g.Start))
	require.Equal(t, g.Start, g.SlotStart(0))
	far := g.SlotStart(math.MaxUint64)
	require.Equal(t, 9999, far.Year())
	require.True(t, g.SlotStart(math.MaxUint64-1).Equal(far))
	require.NotPanics(t, func() { g.SlotAt(time.Unix(1<<62, 0)) })
}
