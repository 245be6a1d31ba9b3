package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
)

func blockOf(t testing.TB, slot chain.Slot, body []byte) chain.Block {
	h := chain.NewHeader(chain.Fields{Slot: slot, BlockNo: 1, BodyHash: chain.HashOf(body), BodySize: uint32(len(body))}, nil)
	b, err := chain.NewBlock(h, body)
	require.NoError(t, err)
	return b
}

func TestLedger(t *testing.T) {
	l := ledger{nodes: 3}
	body, err := note{Forger: 2, Text: "hello"}.encode()
	require.NoError(t, err)
	one, err := l.Apply(tally{}, blockOf(t, 5, body))
	require.NoError(t, err)
	require.Equal(t, tally{1, chain.HashOf(append(make([]byte, 32), body...))}, one)
	two, err := l.Apply(one, blockOf(t, 8, body))
	require.NoError(t, err)
	require.Equal(t, uint64(2), two.Blocks)
	require.NotEqual(t, one.Root, two.Root)

	for name, bad := range map[string][]byte{
		"empty":              {},
		"garbage":            []byte("garbage"),
		"trailing":           append(append([]byte{}, body...), 0),
		"not the shortest":   {0x82, 0x18, 0x02, 0x60},
		"another leader":     {0x82, 0x01, 0x60},
		"control characters": {0x82, 0x02, 0x61, 0x07},
		"too long":           append([]byte{0x82, 0x02, 0x78, 65}, strings.Repeat("x", 65)...),
		"huge":               make([]byte, 10_000),
	} {
		s, err := l.Apply(one, blockOf(t, 5, bad))
		require.ErrorIs(t, err, errNote, name)
		require.Equal(t, one, s, name)
	}
	_, err = note{Text: strings.Repeat("x", 65)}.encode()
	require.ErrorIs(t, err, errNote)
}

// FuzzNote: no body panics, and what is accepted is the one encoding of its note.
func FuzzNote(f *testing.F) {
	f.Add([]byte{0x82, 0x01, 0x61, 'x'})
	f.Fuzz(func(t *testing.T, body []byte) {
		n, err := decodeNote(body)
		if err != nil {
			return
		}
		again, err := n.encode()
		require.NoError(t, err)
		require.Equal(t, body, again)
	})
}
