package chain_test

import (
	"bytes"
	"testing"

	"github.com/synodkit/synod/chain"
)

// What a decoder accepts, it gives back byte for byte.
func FuzzDecodeHeader(f *testing.F) {
	f.Add([]byte{})
	f.Add(next(chain.Tip{}, 1, "body", "proof").Header.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := chain.DecodeHeader(b)
		if err != nil {
			return
		}
		if !bytes.Equal(h.Bytes(), b) || !bytes.Equal(chain.NewHeader(h.Fields(), h.Proof()).Bytes(), b) {
			t.Fatalf("%x is not what it decodes to", b)
		}
		if h.Hash() != chain.HashOf(b) {
			t.Fatal("the hash is not over the received bytes")
		}
	})
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add(next(chain.Tip{}, 1, "body", "proof").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if got, err := chain.DecodeBlock(b); err == nil && !bytes.Equal(got.Bytes(), b) {
			t.Fatalf("%x is not what it decodes to", b)
		}
	})
}

func FuzzDecodeGenesis(f *testing.F) {
	f.Add(genesis().Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if g, err := chain.DecodeGenesis(b); err == nil && !bytes.Equal(g.Bytes(), b) {
			t.Fatalf("%x is not what it decodes to", b)
		}
	})
}

func FuzzUnmarshal(f *testing.F) {
	f.Add([]byte{0x80})
	f.Fuzz(func(t *testing.T, b []byte) {
		var v struct {
			_ struct{} `cbor:",toarray"`
			P []chain.Point
			H *chain.Header
			N uint64
		}
		if chain.Unmarshal(b, &v) != nil {
			return
		}
		if again, err := chain.Marshal(v); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x: %v", b, again, err)
		}
	})
}
