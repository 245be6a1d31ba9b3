package coin

import (
	"bytes"
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

func draw(rt *rapid.T) Transfer {
	amount := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 3)).Draw(rt, "amount")
	fee := rapid.OneOf(rapid.Uint64(), rapid.Uint64Range(0, 3)).Draw(rt, "fee")
	return Transfer{
		To: addressOf(rapid.IntRange(0, 3).Draw(rt, "to")), Amount: amount, Fee: fee,
		Nonce: rapid.OneOf(rapid.Uint64(), rapid.Just(uint64(math.MaxUint64))).Draw(rt, "nonce"),
	}
}

func TestTransferRoundTrip(t *testing.T) {
	l, _ := ledgerOf(t)
	rapid.Check(t, func(rt *rapid.T) {
		x := Sign(keyOf(1), l.genesis, draw(rt))
		raw := x.Bytes()
		require.LessOrEqual(rt, len(raw), TransferBytesMax)
		back, err := l.Parse(raw)
		valid := x.Amount > 0 && x.Fee > 0 && x.Amount+x.Fee > x.Amount && x.Nonce < math.MaxUint64
		if !valid {
			var bad *MalformedError
			require.ErrorAs(rt, err, &bad)
			require.ErrorIs(rt, err, ErrTransfer)
			return
		}
		require.NoError(rt, err)
		require.Equal(rt, x, back)
		require.Equal(rt, chain.HashOf(raw), back.ID())
	})
}

// The bytes are these, for ever: another encoding needs another version.
func TestTransferGolden(t *testing.T) {
	genesis := chain.HashOf([]byte("genesis"))
	x := Sign(keyOf(1), genesis, Transfer{To: Address{1, 2, 3}, Amount: 1000, Fee: 2, Nonce: 24})
	pub := keyOf(1).Public()
	content := "86" + "1a" + genesis.String()[:8] + "5820" + pub.String() + "54" + "010203" + strings.Repeat("00", 17) + "1903e8" + "02" + "1818"
	require.Equal(t, content, hex.EncodeToString(x.content()))
	require.Equal(t, "82"+content+"5840"+hex.EncodeToString(x.Signature), hex.EncodeToString(x.Bytes()))
	require.NoError(t, sign.Domain{Kind: "coin/transfer", Version: 1, Genesis: genesis}.Verify(pub, x.content(), x.Signature))
	require.Equal(t, goldenTransferID, x.ID().String())

	x = Transfer{Network: math.MaxUint32, Amount: math.MaxUint64, Fee: math.MaxUint64, Nonce: math.MaxUint64, Signature: make([]byte, 64)}
	require.Len(t, x.Bytes(), TransferBytesMax)
}

const goldenTransferID = "233e3dd74e9b7b54ecb1b0c40680213063c9af2865a24bd4c2c06a5c9eba571d"

// Every other form of the same transfer, and everything that is none, is refused.
func TestParseIsStrict(t *testing.T) {
	l, _ := ledgerOf(t)
	raw := l.pay(1, 2, 1000, 24).Bytes()
	content, sig := raw[1:len(raw)-66], raw[len(raw)-66:]
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	from := content[6 : 6+34]
	for name, wrong := range map[string][]byte{
		"nothing":                    {},
		"an end too early":           raw[:len(raw)-1],
		"bytes after the end":        join(raw, []byte{0}),
		"twice":                      join(raw, raw),
		"a tag":                      join([]byte{0xc1}, raw),
		"an indefinite array":        join([]byte{0x9f}, content, sig, []byte{0xff}),
		"a longer head":              join([]byte{0x98, 2}, content, sig),
		"a longer integer":           bytes.Replace(raw, []byte{0x19, 0x03, 0xe8}, []byte{0x1a, 0, 0, 0x03, 0xe8}, 1),
		"a negative amount":          bytes.Replace(raw, []byte{0x19, 0x03, 0xe8}, []byte{0x39, 0x03, 0xe8}, 1),
		"an amount that is a float":  bytes.Replace(raw, []byte{0x19, 0x03, 0xe8}, []byte{0xf9, 0x63, 0xd0}, 1),
		"an amount that is null":     bytes.Replace(raw, []byte{0x19, 0x03, 0xe8}, []byte{0xf6}, 1),
		"an amount that is a bignum": bytes.Replace(raw, []byte{0x19, 0x03, 0xe8}, []byte{0xc2, 0x42, 0x03, 0xe8}, 1),
		"an amount in bytes":         bytes.Replace(raw, []byte{0x19, 0x03, 0xe8}, []byte{0x42, 0x03, 0xe8}, 1),
		"a key that is text":         join(raw[:7], []byte{0x78}, raw[8:]),
		"a shorter key":              join([]byte{0x82}, content[:6], []byte{0x58, 31}, from[2:33], content[40:], sig),
		"a longer key":               join([]byte{0x82}, content[:6], []byte{0x58, 33}, from[2:], []byte{0}, content[40:], sig),
		"a field less":               join([]byte{0x82, 0x85}, content[1:len(content)-2], sig),
		"a field more":               join([]byte{0x82, 0x87}, content[1:], []byte{0}, sig),
		"no signature":               join([]byte{0x82}, content, []byte{0x40}),
		"a signature that is null":   join([]byte{0x82}, content, []byte{0xf6}),
		"a short signature":          join([]byte{0x82}, content, []byte{0x58, 63}, sig[2:65]),
		"a long signature":           join([]byte{0x82}, content, []byte{0x58, 65}, sig[2:], []byte{0}),
		"oversize":                   join(raw, make([]byte, 100_000)),
		"announced":                  {0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
	} {
		require.NotEqual(t, raw, wrong, name)
		_, err := l.Parse(wrong)
		var bad *MalformedError
		require.ErrorAs(t, err, &bad, name)
		require.NotContains(t, err.Error(), "\n", name)
		require.Less(t, len(err.Error()), 300, name)
	}
}

// A transfer is its network's and its sender's alone: changed in any bit, or moved to another network, it is refused.
func TestSignatureBinds(t *testing.T) {
	l, _ := ledgerOf(t, 0, 100)
	other, _ := ledgerOf(t, 0, 101)
	x := l.pay(1, 2, 10, 0)

	var network *NetworkError
	_, err := other.Parse(x.Bytes())
	require.ErrorAs(t, err, &network)
	require.Equal(t, NetworkError{Want: networkOf(other.genesis), Got: networkOf(l.genesis)}, *network)

	var signature *SignatureError
	y := x
	y.Network = networkOf(other.genesis) // the hint lies: the signature tells
	_, err = other.Parse(y.Bytes())
	require.ErrorAs(t, err, &signature)
	require.ErrorIs(t, err, sign.ErrSignature)
	require.ErrorIs(t, err, ErrTransfer)

	raw := x.Bytes()
	for bit := range 8 * len(raw) {
		changed := bytes.Clone(raw)
		changed[bit/8] ^= 1 << (bit % 8)
		_, err := l.Parse(changed)
		require.ErrorIs(t, err, ErrTransfer, bit)
	}
	_, err = l.Parse(raw)
	require.NoError(t, err)
}

// torsion is what makes the signature of nobody: R of order 1 and s = 0 satisfy the equation for every content if the key's order is small.
var torsion = append(append(sign.Signature{1}, make([]byte, 31)...), make([]byte, 32)...)

// A key of small order signs whatever anybody says. It cannot send, in whichever of its encodings.
func TestSmallOrderKeys(t *testing.T) {
	l, _ := ledgerOf(t)
	forgeable := func(key sign.PublicKey) bool {
		return domainOf(l.genesis).Verify(key, []byte("whatever"), torsion) == nil
	}
	small := 0
	candidates := []sign.PublicKey{}
	for _, text := range []string{
		"0100000000000000000000000000000000000000000000000000000000000000", "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"0000000000000000000000000000000000000000000000000000000000000000", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	} {
		var k sign.PublicKey
		require.NoError(t, k.UnmarshalText([]byte(text)))
		candidates = append(candidates, k)
	}
	for i := range 64 {
		candidates = append(candidates, keyOf(i).Public(), sign.PublicKey{byte(i)})
		high := sign.PublicKey(bytes.Repeat([]byte{0xff}, 32))
		high[0], high[31] = byte(0xff-i), 0x7f
		candidates = append(candidates, high)
	}
	for _, k := range candidates {
		for _, sign := range []byte{0, 0x80} {
			k := k
			k[31] ^= sign
			require.Equal(t, forgeable(k), smallOrder(k), "%v", k)
			if !forgeable(k) {
				continue
			}
			small++
			forged := Transfer{Network: networkOf(l.genesis), From: k, To: addressOf(1), Amount: 1, Fee: 1, Signature: torsion}
			var bad *MalformedError
			_, err := l.Parse(forged.Bytes())
			require.ErrorAs(t, err, &bad)
			_, err = l.Apply(State{}, blockOf(t, 1, rawBody(chain.Hash{}, forged)))
			require.ErrorAs(t, err, &bad)
		}
	}
	require.GreaterOrEqual(t, small, 14)
}

// FuzzParseTransfer: no bytes panic, and what is accepted is the one encoding of its transfer.
func FuzzParseTransfer(f *testing.F) {
	l, _ := ledgerOf(f)
	f.Add(l.pay(1, 2, 3, 4).Bytes())
	f.Add(l.pay(1, 2, math.MaxUint64-1, math.MaxUint64-1).Bytes())
	f.Add([]byte{0x82, 0x86, 0x00})
	f.Fuzz(func(t *testing.T, raw []byte) {
		x, err := ParseTransfer(raw)
		if err == nil && (!bytes.Equal(x.Bytes(), raw) || x.check() != nil) {
			t.Fatalf("%x became %x", raw, x.Bytes())
		}
		_, _ = l.Parse(raw)
	})
}
