package chain_test

import (
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/synodkit/synod/chain"
)

// BenchmarkDecode sets our decoding beside fxamacker's of the same bytes, which is lenient and does not hash.
func BenchmarkDecode(b *testing.B) {
	block := next(chain.Tip{}, 500, string(make([]byte, 1024)), string(make([]byte, 64)))
	raw := block.Header.Bytes()
	b.Run("what=header", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := chain.DecodeHeader(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("what=header/impl=fxamacker", func(b *testing.B) {
		b.ReportAllocs()
		var h struct {
			_ struct{} `cbor:",toarray"`
			F struct {
				_             struct{} `cbor:",toarray"`
				Slot, No      uint64
				Prev, Body    []byte
				BodySizeBytes uint32
			}
			Proof []byte
		}
		for range b.N {
			if err := cbor.Unmarshal(raw, &h); err != nil {
				b.Fatal(err)
			}
		}
	})
	encoded := block.Bytes()
	b.Run("what=block-1KiB", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := chain.DecodeBlock(encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
	point, err := chain.Marshal(block.Point())
	if err != nil {
		b.Fatal(err)
	}
	b.Run("what=point/by=Unmarshal", func(b *testing.B) {
		b.ReportAllocs()
		var p chain.Point
		for range b.N {
			if err := chain.Unmarshal(point, &p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
