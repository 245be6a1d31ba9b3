package chain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
)

// next makes a block after t.
func next(t chain.Tip, slot chain.Slot, body, proof string) chain.Block {
	h := chain.NewHeader(chain.Fields{Slot: slot, BlockNo: t.BlockNo + 1, Prev: t.Point.Hash,
		BodyHash: chain.HashOf([]byte(body)), BodySize: uint32(len(body))}, []byte(proof))
	b, err := chain.NewBlock(h, []byte(body))
	if err != nil {
		panic(err)
	}
	return b
}

func TestBlockRoundTrip(t *testing.T) {
	b := next(chain.Tip{}, 1, "body", "proof")
	got, err := chain.DecodeBlock(b.Bytes())
	require.NoError(t, err)
	require.Equal(t, b, got)
	type message struct {
		_     struct{} `cbor:",toarray"`
		H     *chain.Header
		B     chain.Block
		T     chain.Tip
		P     []chain.Point
		Hash  chain.Hash
		Empty []byte
	}
	m := message{H: b.Header, B: b, T: b.Header.Tip(), P: []chain.Point{b.Point()}, Hash: b.Header.Hash(), Empty: []byte{}}
	raw, err := chain.Marshal(m)
	require.NoError(t, err)
	var back message
	require.NoError(t, chain.Unmarshal(raw, &back))
	require.Equal(t, m, back)
}
