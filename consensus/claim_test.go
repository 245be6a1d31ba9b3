package consensus_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/consensus"
)

var voteDomain = sign.Domain{Kind: "vote", Version: 1, Genesis: chain.HashOf([]byte("genesis"))}

// single and batched are the two ways to make a verifier of chain/sign.
func single(claims []consensus.Claim) (bad []int) {
	for i, c := range claims {
		pub, err := sign.ParsePublicKey([]byte(c.Author))
		if err != nil || voteDomain.Verify(pub, c.Content, c.Signature) != nil {
			bad = append(bad, i)
		}
	}
	return bad
}

func batched(claims []consensus.Claim) []int {
	var b sign.Batch
	for _, c := range claims {
		pub, err := sign.ParsePublicKey([]byte(c.Author))
		if err != nil {
			return single(claims)
		}
		b.Add(voteDomain, pub, c.Content, c.Signature)
	}
	var e *sign.BatchError
	if errors.As(b.Verify(), &e) {
		return e.Bad
	}
	return nil
}

// edge is a signature made on purpose: the secret parts of key and nonce, their parts of small order, and how the points are encoded.
type edge struct {
	name       string
	a, r       int64 // 0: the point has its small-order part only
	ta, tr     int64 // multiples of the point of order 8
	encA, encR []byte
	change     func(s *big.Int) *big.Int
	valid      bool
}

// identity and order4 have encodings that are not canonical: y = 1 as p+1, y = 0 as p, and x = 0 with a sign.
func notCanonical(y int64, sign byte) []byte {
	b := little(new(big.Int).Add(fieldPrime(), big.NewInt(y)))
	b[31] |= sign << 7
	return b
}

// edges are the classes of Chalkias, Garillot, Nikolaenko: Taming the many EdDSAs (2020), table 5, and what ZIP 215 says of each: any
// encoding of a point, small-order parts ignored by the factor 8, s reduced.
func edges() []edge {
	order := func(n int64) func(*big.Int) *big.Int {
		return func(s *big.Int) *big.Int { return s.Add(s, new(big.Int).Mul(groupOrder(), big.NewInt(n))) }
	}
	return []edge{
		{name: "0: A and R of small order, s = 0", ta: 1, tr: 2, valid: true},
		{name: "1: A of small order, R mixed", r: 5, ta: 1, tr: 3, valid: true},
		{name: "2: A mixed, R of small order", a: 7, ta: 1, tr: 2, valid: true},
		{name: "3: A and R mixed, of one small order", a: 7, r: 5, ta: 4, tr: 4, valid: true},
		{name: "4: A and R mixed, the factor 8 is needed", a: 7, r: 5, ta: 1, tr: 2, valid: true},
		{name: "5: A mixed, R of the prime order", a: 11, r: 13, ta: 3, valid: true},
		{name: "6: s not reduced", a: 7, r: 5, change: order(1)},
		{name: "7: s far from reduced", a: 7, r: 5, change: order(14)},
		{name: "8: R not canonical, y = p+1", a: 7, encR: notCanonical(1, 0), valid: true},
		{name: "9: R not canonical, x = 0 with a sign", a: 7, encR: notCanonical(1, 1), valid: true},
		{name: "10: A not canonical, y = p", r: 5, encA: notCanonical(0, 0), valid: true},
		{name: "11: A not canonical, x = 0 with a sign", r: 5, encA: append([]byte{1}, append(make([]byte, 30), 0x80)...), valid: true},
		{name: "an ordinary one", a: 7, r: 5, valid: true},
		{name: "another s", a: 7, r: 5, change: func(s *big.Int) *big.Int { return s.Add(s, big.NewInt(1)) }},
		{name: "R not on the curve", a: 7, encR: append([]byte{2}, make([]byte, 31)...)},
		{name: "A not on the curve", r: 5, encA: append([]byte{2}, make([]byte, 31)...)},
	}
}

// claim builds the signature from s = r + ka.
func (e edge) claim(content []byte) consensus.Claim {
	enc := func(n, t int64, fixed []byte) []byte {
		if fixed != nil {
			return fixed
		}
		return base().times(big.NewInt(n)).plus(torsion(t)).bytes()
	}
	a, r := enc(e.a, e.ta, e.encA), enc(e.r, e.tr, e.encR)
	s := new(big.Int).Mul(challenge(voteDomain, r, a, content), big.NewInt(e.a))
	s.Mod(s.Add(s, big.NewInt(e.r)), groupOrder())
	if e.change != nil {
		s = e.change(s)
	}
	return consensus.Claim{Author: consensus.ID(a), Content: content, Signature: append(bytes.Clone(r), little(s)...)}
}

// One rule: every edge gets the verdict of ZIP 215 alone, in a batch with others, and inside a certificate.
func TestEdgesAgree(t *testing.T) {
	content, good := []byte("content"), sign.KeyFromSeed([32]byte{9})
	pub := good.Public()
	companion := consensus.Claim{Author: consensus.ID(pub[:]), Content: content, Signature: voteDomain.Sign(good, content)}
	strict := 0
	for _, e := range edges() {
		t.Run(e.name, func(t *testing.T) {
			c := e.claim(content)
			require.Equal(t, e.valid, len(single([]consensus.Claim{c})) == 0, "single")
			for _, both := range [][]consensus.Claim{{c, companion}, {companion, c}} {
				require.Equal(t, single(both), batched(both))
				require.Equal(t, e.valid, len(batched(both)) == 0, "batched")
			}
			s, err := consensus.NewSet(consensus.Member{ID: c.Author, Weight: 1}, consensus.Member{ID: companion.Author, Weight: 1})
			require.NoError(t, err)
			cert := consensus.Certificate{Signers: []int{0, 1}, Signatures: [][]byte{c.Signature, companion.Signature}}
			if at, _ := s.Index(c.Author); at == 1 {
				slices.Reverse(cert.Signatures)
			}
			for _, v := range []consensus.Verifier{single, batched} {
				err := cert.Check(s, consensus.TwoThirds, func(int) []byte { return content }, v)
				require.Equal(t, e.valid, err == nil, err)
			}
			if e.valid && !ed25519.Verify([]byte(c.Author), signedMessage(content), c.Signature) {
				strict++
			}
		})
	}
	require.Positive(t, strict, "the standard library agrees with all of these: they show nothing")
}

// signedMessage is chain/sign's message; see challenge.
func signedMessage(content []byte) []byte {
	m := append([]byte("synod/sign/1\x00\x04vote\x00\x01"), voteDomain.Genesis[:]...)
	return append(append(m, 0, 0, 0, 0, 0, 0, 0, byte(len(content))), content...)
}

// toy is a verifier that costs nothing: a signature is the author's ID and the content.
func toy(claims []consensus.Claim) (bad []int) {
	for i, c := range claims {
		if string(c.Signature) != string(c.Author)+string(c.Content) {
			bad = append(bad, i)
		}
	}
	return bad
}

func TestCertificateChecks(t *testing.T) {
	s := weighted(t, 1, 1, 1, 1)
	content := func(i int) []byte { return []byte{'v', byte(i)} }
	sig := func(i int) []byte { return append([]byte(name(i)), content(i)...) }
	asked := 0
	v := func(c []consensus.Claim) []int { asked++; return toy(c) }
	for what, x := range map[string]struct {
		c     consensus.Certificate
		valid bool
		asked int
	}{
		"three of four":    {consensus.Certificate{Signers: []int{0, 2, 3}, Signatures: [][]byte{sig(0), sig(2), sig(3)}}, true, 1},
		"empty":            {consensus.Certificate{}, false, 0},
		"two of four":      {consensus.Certificate{Signers: []int{0, 2}, Signatures: [][]byte{sig(0), sig(2)}}, false, 0},
		"one twice":        {consensus.Certificate{Signers: []int{0, 2, 2}, Signatures: [][]byte{sig(0), sig(2), sig(2)}}, false, 0},
		"out of order":     {consensus.Certificate{Signers: []int{2, 0, 3}, Signatures: [][]byte{sig(2), sig(0), sig(3)}}, false, 0},
		"no member":        {consensus.Certificate{Signers: []int{0, 2, 4}, Signatures: [][]byte{sig(0), sig(2), sig(3)}}, false, 0},
		"negative":         {consensus.Certificate{Signers: []int{-1, 2, 3}, Signatures: [][]byte{sig(0), sig(2), sig(3)}}, false, 0},
		"signature short":  {consensus.Certificate{Signers: []int{0, 2, 3}, Signatures: [][]byte{sig(0), sig(2)}}, false, 0},
		"one bad":          {consensus.Certificate{Signers: []int{0, 2, 3}, Signatures: [][]byte{sig(0), sig(2), sig(2)}}, false, 1},
		"more than needed": {consensus.Certificate{Signers: []int{0, 1, 2, 3}, Signatures: [][]byte{sig(0), sig(1), sig(2), sig(3)}}, true, 1},
		"more than all":    {consensus.Certificate{Signers: []int{0, 1, 2, 3, 3}, Signatures: make([][]byte, 5)}, false, 0},
	} {
		asked = 0
		err := x.c.Check(s, consensus.TwoThirds, content, v)
		require.Equal(t, x.valid, err == nil, "%s: %v", what, err)
		require.Equal(t, x.asked, asked, what)
		if err != nil {
			require.ErrorIs(t, err, consensus.ErrCertificate)
		}
	}
}

// A certificate is accepted exactly if its valid signers, each once, weigh enough.
func TestCertificateByDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSet(t, 6)
		var c consensus.Certificate
		var w weight
		ok := true
		for i := range s.Len() {
			if rapid.Bool().Draw(t, "signs") {
				good := rapid.IntRange(0, 9).Draw(t, "good") > 0
				sig := []byte(string(name(i)) + "x")
				if !good {
					sig, ok = []byte("forged"), false
				}
				c.Signers, c.Signatures = append(c.Signers, i), append(c.Signatures, sig)
				w += s.At(i).Weight
			}
		}
		err := c.Check(s, consensus.TwoThirds, func(int) []byte { return []byte("x") }, toy)
		require.Equal(t, ok && 3*w > 2*s.Total(), err == nil, "%v", err)
	})
}

func TestEvidence(t *testing.T) {
	s := weighted(t, 1, 1)
	claim := func(who consensus.ID, what string) consensus.Claim {
		return consensus.Claim{Author: who, Content: []byte(what), Signature: []byte(string(who) + what)}
	}
	forged := claim(name(0), "y")
	forged.Signature = []byte("?")
	conflict := func(a, b []byte) bool { return !bytes.Equal(a, b) }
	require.NoError(t, consensus.Evidence{First: claim(name(0), "x"), Second: claim(name(0), "y")}.Check(s, conflict, toy))
	for what, e := range map[string]consensus.Evidence{
		"two authors": {First: claim(name(0), "x"), Second: claim(name(1), "y")},
		"no member":   {First: claim("z", "x"), Second: claim("z", "y")},
		"the same":    {First: claim(name(0), "x"), Second: claim(name(0), "x")},
		"forged":      {First: claim(name(0), "x"), Second: forged},
	} {
		require.ErrorIs(t, e.Check(s, conflict, toy), consensus.ErrEvidence, what)
	}
}

func ExampleCertificate() {
	s, _ := consensus.NewSet(consensus.Member{ID: "a", Weight: 1}, consensus.Member{ID: "b", Weight: 1}, consensus.Member{ID: "c", Weight: 1})
	verify := func(claims []consensus.Claim) (bad []int) { // stands for chain/sign
		for i, c := range claims {
			if string(c.Signature) != "signed by "+string(c.Author) {
				bad = append(bad, i)
			}
		}
		return bad
	}
	c := consensus.Certificate{Signers: []int{0, 2}, Signatures: [][]byte{[]byte("signed by a"), []byte("signed by c")}}
	content := func(int) []byte { return []byte("block 7") }
	fmt.Println(c.Check(s, consensus.Majority, content, verify))
	fmt.Println(c.Check(s, consensus.TwoThirds, content, verify))
	// Output:
	// <nil>
	// consensus: not a certificate: weight 2 of 3 needed
}

func ExampleEvidence() {
	s, _ := consensus.NewSet(consensus.Member{ID: "a", Weight: 1})
	e := consensus.Evidence{First: consensus.Claim{Author: "a", Content: []byte("round 1: x")}, Second: consensus.Claim{Author: "a", Content: []byte("round 1: y")}}
	oneRound := func(a, b []byte) bool { return bytes.Equal(a[:7], b[:7]) && !bytes.Equal(a, b) }
	valid := func([]consensus.Claim) []int { return nil }
	fmt.Println(e.Check(s, oneRound, valid))
	// Output:
	// <nil>
}
