package sign_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

var domain = sign.Domain{Kind: "test", Version: 1, Genesis: chain.HashOf([]byte("genesis"))}

func key(b byte) sign.PrivateKey { return sign.KeyFromSeed([32]byte{b}) }

func TestSignAndVerify(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		content := rapid.SliceOf(rapid.Byte()).Draw(rt, "content")
		k := key(rapid.Byte().Draw(rt, "key"))
		sig := domain.Sign(k, content)
		require.NoError(rt, domain.Verify(k.Public(), content, sig))
		require.Equal(rt, sig, domain.Sign(k, content), "signing is deterministic")

		bit := rapid.IntRange(0, 8*len(sig)-1).Draw(rt, "bit")
		sig[bit/8] ^= 1 << (bit % 8)
		require.ErrorIs(rt, domain.Verify(k.Public(), content, sig), sign.ErrSignature)
	})
}

// A signature for one kind, version, chain, content or key is one for no other.
func TestSeparation(t *testing.T) {
	k, content := key(1), []byte("content")
	sig := domain.Sign(k, content)
	for name, d := range map[string]sign.Domain{
		"kind":    {Kind: "tesu", Version: 1, Genesis: domain.Genesis},
		"version": {Kind: "test", Version: 2, Genesis: domain.Genesis},
		"genesis": {Kind: "test", Version: 1, Genesis: chain.HashOf(nil)},
	} {
		require.ErrorIs(t, d.Verify(k.Public(), content, sig), sign.ErrSignature, name)
	}
	require.ErrorIs(t, domain.Verify(k.Public(), []byte("contenu"), sig), sign.ErrSignature)
	require.ErrorIs(t, domain.Verify(key(2).Public(), content, sig), sign.ErrSignature)

	// What moves from the kind to the content changes the message.
	a := sign.Domain{Kind: "ab", Version: 1}
	b := sign.Domain{Kind: "a", Version: 1}
	require.Error(t, b.Verify(k.Public(), []byte("bc"), a.Sign(k, []byte("c"))))
}

func TestMalformedLengths(t *testing.T) {
	k := key(1)
	sig := domain.Sign(k, nil)
	for _, s := range []sign.Signature{nil, {}, sig[:63], append(bytes.Clone(sig), 0)} {
		require.ErrorIs(t, domain.Verify(k.Public(), nil, s), sign.ErrSignature)
		var b sign.Batch
		b.Add(domain, k.Public(), nil, sig)
		b.Add(domain, k.Public(), nil, s)
		var bad *sign.BatchError
		require.ErrorAs(t, b.Verify(), &bad)
		require.Equal(t, []int{1}, bad.Bad)
	}
	_, err := sign.ParsePublicKey(make([]byte, 31))
	require.ErrorIs(t, err, sign.ErrKey)
}

// A batch has the verdict of its signatures alone, and names the bad ones.
func TestBatchAgrees(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var batch sign.Batch
		var want []int
		for i := range rapid.IntRange(0, 12).Draw(rt, "n") {
			k := key(byte(i))
			content := []byte{byte(i)}
			sig := domain.Sign(k, content)
			if rapid.IntRange(0, 3).Draw(rt, "spoil") == 0 {
				sig[rapid.IntRange(0, 63).Draw(rt, "at")] ^= 1
				want = append(want, i)
			}
			batch.Add(domain, k.Public(), content, sig)
		}
		err := batch.Verify()
		if want == nil {
			require.NoError(rt, err)
			return
		}
		require.ErrorIs(rt, err, sign.ErrSignature)
		var bad *sign.BatchError
		require.ErrorAs(rt, err, &bad)
		require.Equal(rt, want, bad.Bad)
	})
}

func TestBatchCopies(t *testing.T) {
	k, content := key(1), []byte("content")
	sig := domain.Sign(k, content)
	var b sign.Batch
	b.Add(domain, k.Public(), content, sig)
	b.Add(domain, k.Public(), content, sig)
	clear(content)
	clear(sig)
	require.NoError(t, b.Verify())
	require.Equal(t, 2, b.Len())
}

func TestPrivateKeyNeverPrints(t *testing.T) {
	k := key(7)
	seed := k.Seed()
	holder := struct{ K sign.PrivateKey }{k}
	asJSON, err := json.Marshal(holder)
	require.NoError(t, err)
	out := string(asJSON)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%o", "%b"} {
		out += fmt.Sprintf(verb, k) + fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, &holder)
	}
	for _, leak := range []string{fmt.Sprintf("%x", seed), fmt.Sprintf("%X", seed), fmt.Sprint(seed), fmt.Sprint(seed[:])} {
		require.NotContains(t, out, leak[1:len(leak)-1])
	}
}

func TestKeys(t *testing.T) {
	a, err := sign.GenerateKey(rand.NewChaCha8([32]byte{1}))
	require.NoError(t, err)
	b, err := sign.GenerateKey(rand.NewChaCha8([32]byte{1}))
	require.NoError(t, err)
	require.Equal(t, a.Public(), b.Public())
	require.Equal(t, a.Public(), sign.KeyFromSeed(a.Seed()).Public())
	_, err = sign.GenerateKey(io.LimitReader(rand.NewChaCha8([32]byte{1}), 31))
	require.Error(t, err)

	text, err := a.Public().MarshalText()
	require.NoError(t, err)
	var back sign.PublicKey
	require.NoError(t, back.UnmarshalText(text))
	require.Equal(t, a.Public(), back)
	for _, bad := range []string{"", "zz", string(text) + "00"} {
		require.ErrorIs(t, back.UnmarshalText([]byte(bad)), sign.ErrKey)
	}
	require.True(t, sign.PrivateKey{}.IsZero())
	require.Panics(t, func() { domain.Sign(sign.PrivateKey{}, nil) })
	require.Panics(t, func() { sign.Domain{}.Sign(a, nil) })
}
