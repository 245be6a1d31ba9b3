package coin

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain/sign"
)

func TestAddressGolden(t *testing.T) {
	require.Equal(t, "coin1d3yfms66jvojh5rp5yyata7vl3qpgeozqzbzz7od", AddressOf(sign.KeyFromSeed([32]byte{2}).Public()).String())
	require.Len(t, Address{}.String(), len("coin1")+40)
}

func TestAddressRoundTrip(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := Address(rapid.SliceOfN(rapid.Byte(), 20, 20).Draw(rt, "address"))
		back, err := ParseAddress(a.String())
		require.NoError(rt, err)
		require.Equal(rt, a, back)
		text, err := json.Marshal(map[Address]Address{a: a})
		require.NoError(rt, err)
		var m map[Address]Address
		require.NoError(rt, json.Unmarshal(text, &m))
		require.Equal(rt, map[Address]Address{a: a}, m)
	})
}

// Each way to mistype one character of an address, or to swap two neighbours, is told.
func TestAddressTyping(t *testing.T) {
	text := addressOf(1).String()
	for i := range text {
		for _, c := range "abcdefghijklmnopqrstuvwxyz0123456789AZ =\n\x00" {
			if wrong := text[:i] + string(c) + text[i+1:]; wrong != text {
				_, err := ParseAddress(wrong)
				require.ErrorIs(t, err, ErrAddress, wrong)
			}
		}
		if i > 0 && text[i] != text[i-1] {
			_, err := ParseAddress(text[:i-1] + text[i:i+1] + text[i-1:i] + text[i+1:])
			require.ErrorIs(t, err, ErrAddress)
		}
	}
	for _, wrong := range []string{"", "coin1", text[:44], text + "a", " " + text, text + "\n", strings.ToUpper(text), "coin1" + text, text[:20] + "\n" + text[20:],
		text[:20] + "\r\n" + text[22:]} {
		_, err := ParseAddress(wrong)
		require.ErrorIs(t, err, ErrAddress, wrong)
	}
}

func TestAddressStaysOnError(t *testing.T) {
	a := addressOf(1)
	require.ErrorIs(t, a.UnmarshalText([]byte("coin1nonsense")), ErrAddress)
	require.Equal(t, addressOf(1), a)
}

func FuzzParseAddress(f *testing.F) {
	f.Add(addressOf(1).String())
	f.Add("coin1")
	f.Add("coin1\n\n\n")
	f.Fuzz(func(t *testing.T, s string) {
		if a, err := ParseAddress(s); err == nil && a.String() != s {
			t.Fatalf("%q became %q", s, a)
		}
	})
}
