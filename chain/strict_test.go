package chain_test

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain"
)

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return b
}

// hashHex is the encoding of a hash of which all bytes are alike.
func hashHex(digits string) string { return "5820" + string(bytes.Repeat([]byte(digits), 32)) }

func filled(b byte) (h chain.Hash) {
	for i := range h {
		h[i] = b
	}
	return h
}

// The encodings are part of the protocol: a change here is a new version of it.
func TestGolden(t *testing.T) {
	f := chain.Fields{Slot: 500, BlockNo: 7, Prev: filled(0xaa), BodyHash: chain.HashOf([]byte("hi")), BodySize: 2}
	content := "85" + "1901f4" + "07" + hashHex("aa") + "5820" + f.BodyHash.String() + "02"
	require.Equal(t, content, hex.EncodeToString(f.Content()))
	h := chain.NewHeader(f, []byte{1, 2, 3})
	require.Equal(t, "82"+content+"43010203", hex.EncodeToString(h.Bytes()))
	b, err := chain.NewBlock(h, []byte("hi"))
	require.NoError(t, err)
	require.Equal(t, "82"+"82"+content+"43010203"+"426869", hex.EncodeToString(b.Bytes()))
	p, err := chain.Marshal(chain.Tip{Point: chain.Point{Slot: 24, Hash: filled(1)}, BlockNo: 3})
	require.NoError(t, err)
	require.Equal(t, "82"+"82"+"1818"+hashHex("01")+"03", hex.EncodeToString(p))
	g := chain.Genesis{Network: "net", Start: time.UnixMilli(1000), SlotLength: time.Second, Keys: [][]byte{bytes.Repeat([]byte{9}, 32)}, Nonce: []byte{5}}
	require.Equal(t, "86"+"636e6574"+"1903e8"+"1903e8"+"81"+hashHex("09")+"4105"+"40", hex.EncodeToString(g.Bytes()))
	g.Ledger = []byte{6, 7}
	require.Equal(t, "86"+"636e6574"+"1903e8"+"1903e8"+"81"+hashHex("09")+"4105"+"420607", hex.EncodeToString(g.Bytes()))
}

func TestDecodeHeaderIsStrict(t *testing.T) {
	prev, body := hashHex("aa"), hashHex("bb")
	good := "82" + "85" + "01" + "01" + prev + body + "00" + "4107"
	_, err := chain.DecodeHeader(unhex(good))
	require.NoError(t, err)
	for name, c := range map[string]struct {
		raw  string
		kind error
	}{
		"nothing":                   {"", chain.ErrEncoding},
		"a longer integer":          {"82" + "85" + "1801" + "01" + prev + body + "00" + "4107", chain.ErrEncoding},
		"a much longer integer":     {"82" + "85" + "1b0000000000000001" + "01" + prev + body + "00" + "4107", chain.ErrEncoding},
		"a longer length":           {"82" + "85" + "01" + "01" + prev + body + "00" + "580107", chain.ErrEncoding},
		"an indefinite array":       {"9f" + "85" + "01" + "01" + prev + body + "00" + "4107" + "ff", chain.ErrEncoding},
		"an indefinite byte string": {"82" + "85" + "01" + "01" + prev + body + "00" + "5f4107ff", chain.ErrEncoding},
		"a negative integer":        {"82" + "85" + "20" + "01" + prev + body + "00" + "4107", chain.ErrEncoding},
		"text for bytes":            {"82" + "85" + "01" + "01" + prev + body + "00" + "6107", chain.ErrEncoding},
		"a tag":                     {"c0" + good, chain.ErrEncoding},
		"a short hash":              {"82" + "85" + "01" + "01" + "4101" + body + "00" + "4107", chain.ErrEncoding},
		"a long hash":               {"82" + "85" + "01" + "01" + "5821" + prev[4:] + "00" + body + "00" + "4107", chain.ErrTooLong},
		"a size beyond 32 bits":     {"82" + "85" + "01" + "01" + prev + body + "1b0000000100000000" + "4107", chain.ErrEncoding},
		"a field less":              {"82" + "84" + "01" + "01" + prev + body + "4107", chain.ErrEncoding},
		"a field more":              {"82" + "86" + "01" + "01" + prev + body + "00" + "00" + "4107", chain.ErrEncoding},
		"bytes after the end":       {good + "00", chain.ErrEncoding},
		"an end too early":          {good[:len(good)-2], chain.ErrEncoding},
		"a proof that is announced": {"82" + "85" + "01" + "01" + prev + body + "00" + "5affffffff", chain.ErrTooLong},
		"oversize":                  {good + string(bytes.Repeat([]byte("00"), chain.HeaderBytesMax)), chain.ErrTooLong},
	} {
		h, err := chain.DecodeHeader(unhex(c.raw))
		require.ErrorIs(t, err, c.kind, name)
		require.Nil(t, h, name)
	}
}

func TestDecodeBlockIsStrict(t *testing.T) {
	b := next(chain.Tip{}, 1, "body", "proof")
	other := next(chain.Tip{}, 1, "bode", "proof")
	raw := b.Bytes()
	swapped := append(append([]byte{0x82}, b.Header.Bytes()...), append([]byte{0x44}, other.Body...)...)
	_, err := chain.DecodeBlock(swapped)
	require.ErrorIs(t, err, chain.ErrBody)
	shorter := append(append([]byte{0x82}, b.Header.Bytes()...), 0x43, 'b', 'o', 'd')
	_, err = chain.DecodeBlock(shorter)
	require.ErrorIs(t, err, chain.ErrBody)
	_, err = chain.DecodeBlock(append(raw, 0))
	require.ErrorIs(t, err, chain.ErrEncoding)
	huge := append(append([]byte{0x82}, b.Header.Bytes()...), 0x5a, 0x7f, 0xff, 0xff, 0xff)
	_, err = chain.DecodeBlock(huge)
	require.ErrorIs(t, err, chain.ErrTooLong)
}

// A decoded block holds neither the input nor, through the body, the header's memory.
func TestDecodeCopies(t *testing.T) {
	want := next(chain.Tip{}, 1, "body", "proof")
	raw := want.Bytes()
	got, err := chain.DecodeBlock(raw)
	require.NoError(t, err)
	clear(raw)
	require.Equal(t, want, got)
}

func TestUnmarshalIsStrict(t *testing.T) {
	type message struct {
		_ struct{} `cbor:",toarray"`
		N uint64
		B []byte
	}
	var m message
	require.NoError(t, chain.Unmarshal(unhex("820141ff"), &m))
	before := m
	for name, raw := range map[string]string{
		"longer integer": "82180141ff", "indefinite": "9f0141ffff", "trailing": "820141ff00", "missing": "8101", "extra": "830141ff00",
		"null": "8201f6", "tag": "82c10141ff", "float": "82f93c0041ff", "cut": "820141", "empty": "",
	} {
		require.ErrorIs(t, chain.Unmarshal(unhex(raw), &m), chain.ErrEncoding, name)
		require.Equal(t, before, m, name)
	}
	type named struct {
		A uint64 `cbor:"a"`
		B uint64 `cbor:"b"`
	}
	var n named
	require.NoError(t, chain.Unmarshal(unhex("a2616101616202"), &n))
	for name, raw := range map[string]string{
		"unsorted": "a2616202616101", "doubled": "a2616101616101", "unknown": "a2616101616302",
	} {
		require.ErrorIs(t, chain.Unmarshal(unhex(raw), &n), chain.ErrEncoding, name)
	}
}
