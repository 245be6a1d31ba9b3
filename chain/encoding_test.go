package chain_test

import (
	"bytes"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
)

var h32 = strings.Repeat("ab", 32)

// golden is one value of each kind.
func golden() (chain.Fields, *chain.Header, chain.Genesis) {
	var prev chain.Hash
	for i := range prev {
		prev[i] = 0xab
	}
	f := chain.Fields{Slot: 24, BlockNo: 23, Prev: prev, BodyHash: chain.HashOf([]byte("hi")), BodySize: 2}
	g := chain.Genesis{Network: "test", Start: time.UnixMilli(1_700_000_000_000).UTC(), SlotLength: 200 * time.Millisecond,
		Keys: [][]byte{bytes.Repeat([]byte{0xcd}, 32)}, Nonce: []byte{1}, Ledger: []byte{2}}
	return f, chain.NewHeader(f, []byte{7}), g
}

// The oracle: fxamacker's deterministic encoder says the same about integers at the borders of their forms.
func TestIntegersMatchTheOracle(t *testing.T) {
	mode, err := cbor.CoreDetEncOptions().EncMode()
	require.NoError(t, err)
	for _, n := range []uint64{0, 23, 24, 255, 256, 65535, 65536, math.MaxUint32, math.MaxUint32 + 1, math.MaxUint64} {
		want, err := mode.Marshal([]any{n, []byte(nil)[:0:0]})
		require.NoError(t, err)
		want = want[1 : len(want)-1]
		got, err := chain.Marshal(chain.Point{Slot: chain.Slot(n)})
		require.NoError(t, err)
		require.True(t, bytes.HasPrefix(got[1:], want), "%d: %x, %x", n, got, want)
		var back chain.Point
		require.NoError(t, chain.Unmarshal(got, &back))
		require.Equal(t, chain.Slot(n), back.Slot)
	}
}

func TestRefusedBlocks(t *testing.T) {
	b := next(chain.Tip{}, 1, "body", "proof")
	for name, x := range map[string]struct {
		bytes []byte
		kind  error
	}{
		"other body, same size": {bytes.Replace(b.Bytes(), []byte("body"), []byte("Body"), 1), chain.ErrBody},
		"other size":            {append(bytes.TrimSuffix(b.Bytes(), []byte("\x44body")), 0x40), chain.ErrBody},
		"bytes after the end":   {append(b.Bytes(), 0), chain.ErrEncoding},
		"body over the limit":   {append(bytes.TrimSuffix(b.Bytes(), []byte("\x44body")), 0x5a, 0, 0x10, 0, 1), chain.ErrTooLong},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := chain.DecodeBlock(x.bytes)
			require.ErrorIs(t, err, x.kind)
		})
	}
	big := bytes.Repeat([]byte("x"), chain.BodyBytesMax+1)
	f := chain.Fields{BodyHash: chain.HashOf(big), BodySize: uint32(len(big))}
	_, err := chain.NewBlock(chain.NewHeader(f, nil), big)
	require.ErrorIs(t, err, chain.ErrTooLong)
	full := big[1:]
	f = chain.Fields{BodyHash: chain.HashOf(full), BodySize: uint32(len(full))}
	ok, err := chain.NewBlock(chain.NewHeader(f, nil), full)
	require.NoError(t, err)
	_, err = chain.DecodeBlock(ok.Bytes())
	require.NoError(t, err)

	_, err = chain.DecodeHeader(make([]byte, chain.HeaderBytesMax+1))
	require.ErrorIs(t, err, chain.ErrTooLong)
	require.Panics(t, func() { chain.NewHeader(chain.Fields{}, make([]byte, chain.HeaderBytesMax)) })
}

func TestHeaderInUseStays(t *testing.T) {
	b, got := next(chain.Tip{}, 1, "body", "proof"), next(chain.Tip{}, 2, "body", "proof")
	before := got.Header.Hash()
	_ = append(got.Header.Proof(), 'x') // grows elsewhere
	require.Equal(t, before, chain.HashOf(got.Header.Bytes()))
	require.ErrorIs(t, got.Header.UnmarshalCBOR(b.Header.Bytes()), chain.ErrEncoding, "a header in use stays as it is")
	_, err := chain.Marshal(new(chain.Header))
	require.ErrorIs(t, err, chain.ErrEncoding)
	_, err = chain.Marshal(chain.Block{})
	require.ErrorIs(t, err, chain.ErrEncoding)
}

// The same strictness for maps, pointers and lists in structs of other packages.
func TestUnmarshalRecords(t *testing.T) {
	type inner struct {
		_ struct{} `cbor:",toarray"`
		N uint8
		S []byte
	}
	type record struct {
		A uint64          `cbor:"a"`
		L []inner         `cbor:"l"`
		M map[string]int8 `cbor:"m"`
		P *inner          `cbor:"p"`
	}
	v := record{A: 5, L: []inner{{N: 1, S: []byte{9}}}, M: map[string]int8{"x": -1, "yy": 2}}
	b, err := chain.Marshal(v)
	require.NoError(t, err)
	require.Equal(t, unhex("a4616105616c8182014109616da2617820627979026170f6"), b)
	var got record
	require.NoError(t, chain.Unmarshal(b, &got))
	require.Equal(t, v, got)
	for name, s := range map[string]string{
		"not shortest":    "a4 6161 1805 616c 80 616d a0 6170 f6",
		"unsorted":        "a4 616c 80 6161 05 616d a0 6170 f6",
		"doubled":         "a5 6161 05 6161 05 616c 80 616d a0 6170 f6",
		"unknown field":   "a5 6161 05 616c 80 616d a0 6170 f6 6178 00",
		"missing field":   "a3 6161 05 616c 80 616d a0",
		"other case":      "a4 6141 05 616c 80 616d a0 6170 f6",
		"null list":       "a4 6161 05 616c f6 616d a0 6170 f6",
		"undefined":       "a4 6161 05 616c 80 616d a0 6170 f7",
		"indefinite list": "a4 6161 05 616c 9fff 616d a0 6170 f6",
		"trailing":        "a4 6161 05 616c 80 616d a0 6170 f6 00",
		"tag":             "c1 a4 6161 05 616c 80 616d a0 6170 f6",
		"float for int":   "a4 6161 f94500 616c 80 616d a0 6170 f6",
		"out of range":    "a4 6161 05 616c 80 616d a1 6178 1880 6170 f6",
		"short array":     "a4 6161 05 616c 81 81 01 616d a0 6170 f6",
		"text for bytes":  "a4 6161 05 616c 81 82 01 6109 616d a0 6170 f6",
		"empty":           "",
	} {
		t.Run(name, func(t *testing.T) {
			keep := record{A: 77}
			err := chain.Unmarshal(unhex(strings.ReplaceAll(s, " ", "")), &keep)
			require.ErrorIs(t, err, chain.ErrEncoding)
			require.Equal(t, record{A: 77}, keep, "nothing is changed on an error")
		})
	}
	var hash chain.Hash
	require.ErrorIs(t, chain.Unmarshal(unhex("581f"+h32[2:]), &hash), chain.ErrEncoding)
	require.ErrorIs(t, chain.Unmarshal(unhex("5821"+h32+"00"), &hash), chain.ErrEncoding)
	require.NoError(t, chain.Unmarshal(unhex("5820"+h32), &hash))
	require.ErrorIs(t, chain.Unmarshal(bytes.Repeat([]byte{0x81}, 40), new(any)), chain.ErrEncoding, "nested too deep")
	require.Panics(t, func() { _ = chain.Unmarshal([]byte{0}, 5) })
}

func TestHashText(t *testing.T) {
	h := chain.HashOf(nil)
	text, err := h.MarshalText()
	require.NoError(t, err)
	require.Equal(t, h.String(), string(text))
	var back chain.Hash
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, h, back)
	for _, bad := range []string{"", "ab", h32 + "ab", "zz" + h32[2:]} {
		require.ErrorIs(t, back.UnmarshalText([]byte(bad)), chain.ErrEncoding)
	}
	require.Equal(t, h, back)
	require.Equal(t, "3@e3b0c442", chain.Point{Slot: 3, Hash: h}.String())
	require.Equal(t, "#2 3@e3b0c442", chain.Tip{Point: chain.Point{Slot: 3, Hash: h}, BlockNo: 2}.String())
}
