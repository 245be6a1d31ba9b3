package sign_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/synodkit/synod/chain/sign"
)

// torsion are all encodings of the eight points of small order: the canonical ones, then those with y not reduced and those that give x = 0 a sign.
// They follow from the curve: y = 1, -1, 0 and the two roots of order 8, each with either sign bit, and y+p where it fits.
var torsion = []string{
	"0100000000000000000000000000000000000000000000000000000000000000",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
	"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
	"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	"0100000000000000000000000000000000000000000000000000000000000080",
	"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
}

// order is that of the group that the base point generates: 2^252 + 27742317777372353535851937790883648493.
func order() *big.Int {
	c, _ := new(big.Int).SetString("27742317777372353535851937790883648493", 10)
	return c.Add(c, new(big.Int).Lsh(big.NewInt(1), 252))
}

// both requires one verdict of single and batched verification; the batch has a good companion, and comes in both orders.
func both(t *testing.T, pub sign.PublicKey, content []byte, sig sign.Signature, valid bool) {
	t.Helper()
	good := key(9)
	for _, first := range []bool{true, false} {
		var b sign.Batch
		if first {
			b.Add(domain, pub, content, sig)
		}
		b.Add(domain, good.Public(), content, domain.Sign(good, content))
		if !first {
			b.Add(domain, pub, content, sig)
		}
		require.Equal(t, valid, b.Verify() == nil, "batched")
	}
	require.Equal(t, valid, domain.Verify(pub, content, sig) == nil, "single")
}

// The 196 cases in which A and R are of small order and s is 0 satisfy 8sB = 8R + 8kA whatever k is: both sides are the identity.
func TestSmallOrderPoints(t *testing.T) {
	strict := 0
	for _, a := range torsion {
		for _, r := range torsion {
			rawA, err := hex.DecodeString(a)
			require.NoError(t, err)
			rawR, err := hex.DecodeString(r)
			require.NoError(t, err)
			sig := sign.Signature(append(rawR, make([]byte, 32)...))
			both(t, sign.PublicKey(rawA), []byte("Zcash"), sig, true)
			if ed25519.Verify(rawA, []byte("Zcash"), sig) {
				strict++
			}
		}
	}
	require.Less(t, strict, len(torsion)*len(torsion), "the standard library's rule would do: these cases show nothing")
}

// s must be below the group's order: s+L satisfies the equation, and would be a second signature for the same content.
func TestScalarMustBeReduced(t *testing.T) {
	k, content := key(1), []byte("content")
	sig := domain.Sign(k, content)
	both(t, k.Public(), content, sig, true)

	s := slices.Clone(sig[32:])
	slices.Reverse(s)
	n := new(big.Int).Add(new(big.Int).SetBytes(s), order())
	raw := n.FillBytes(make([]byte, 32))
	slices.Reverse(raw)
	both(t, k.Public(), content, append(bytes.Clone(sig[:32]), raw...), false)
}

// Bytes that are no point are no key and no R: y = 2 is not on the curve.
func TestNotOnTheCurve(t *testing.T) {
	k, content := key(1), []byte("content")
	sig := domain.Sign(k, content)
	off := make([]byte, 32)
	off[0] = 2
	both(t, sign.PublicKey(off), content, sig, false)
	both(t, k.Public(), content, append(bytes.Clone(off), sig[32:]...), false)
}
