package chain_test

import (
	"bytes"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/synodkit/synod/chain"
)

// canonical fails if an accepted input is not what the oracle, fxamacker's deterministic encoder, makes of its own reading.
func canonical(t *testing.T, b []byte) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := cbor.Unmarshal(b, &v); err != nil {
		t.Fatalf("accepted %x, the oracle does not: %v", b, err)
	}
	again, err := enc.Marshal(v)
	if err != nil || !bytes.Equal(again, b) {
		t.Fatalf("accepted %x, canonical is %x, %v", b, again, err)
	}
}

func FuzzDecodeHeader(f *testing.F) {
	_, h, _ := golden()
	f.Add(h.Bytes())
	f.Add([]byte{0x82, 0x85, 0x18, 0x00})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := chain.DecodeHeader(b)
		if err != nil {
			return
		}
		canonical(t, b)
		if made := chain.NewHeader(h.Fields(), h.Proof()); !bytes.Equal(h.Bytes(), b) || !bytes.Equal(made.Bytes(), b) || made.Hash() != h.Hash() {
			t.Fatalf("%x: kept %x, made %x", b, h.Bytes(), made.Bytes())
		}
	})
}

func FuzzDecodeBlock(f *testing.F) {
	f.Add(next(chain.Tip{}, 1, "body", "proof").Bytes())
	f.Add(next(chain.Tip{}, 1, "", "").Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		block, err := chain.DecodeBlock(b)
		if err != nil {
			return
		}
		canonical(t, b)
		if !bytes.Equal(block.Bytes(), b) {
			t.Fatalf("%x became %x", b, block.Bytes())
		}
	})
}

func FuzzDecodeGenesis(f *testing.F) {
	_, _, g := golden()
	f.Add(g.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := chain.DecodeGenesis(b)
		if err != nil {
			return
		}
		canonical(t, b)
		if !bytes.Equal(g.Bytes(), b) || g.Validate() != nil {
			t.Fatalf("%x became %x", b, g.Bytes())
		}
		_, _ = g.SlotAt(g.SlotStart(1<<63)), g.SlotAt(g.Start.Add(-1))
	})
}

func FuzzUnmarshal(f *testing.F) {
	type message struct {
		_ struct{} `cbor:",toarray"`
		H *chain.Header
		P []chain.Point
		T chain.Tip
		M map[uint64][]byte
	}
	_, h, _ := golden()
	b, err := chain.Marshal(message{H: h, P: []chain.Point{h.Point()}, T: h.Tip(), M: map[uint64][]byte{1: {2}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m message
		if chain.Unmarshal(b, &m) != nil {
			return
		}
		canonical(t, b)
		if again, err := chain.Marshal(m); err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%x became %x, %v", b, again, err)
		}
	})
}
