package consensus_test

import (
	"crypto/sha512"
	"encoding/binary"
	"math/big"
	"slices"

	"github.com/synodkit/synod/chain/sign"
)

// The group of ed25519 from its definition (RFC 8032, section 5.1), to build signatures that no library would make. Slow, and for
// tests with made-up keys alone.

func number(s string) *big.Int { n, _ := new(big.Int).SetString(s, 10); return n }

func fieldPrime() *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 255), big.NewInt(19))
}

func groupOrder() *big.Int {
	return new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 252), number("27742317777372353535851937790883648493"))
}

// point is affine.
type point struct{ x, y *big.Int }

func mod(n *big.Int) *big.Int { return n.Mod(n, fieldPrime()) }

func mul(ns ...*big.Int) *big.Int {
	out := big.NewInt(1)
	for _, n := range ns {
		mod(out.Mul(out, n))
	}
	return out
}

func curveD() *big.Int {
	return mod(new(big.Int).Neg(mul(big.NewInt(121665), new(big.Int).ModInverse(big.NewInt(121666), fieldPrime()))))
}

// plus is the addition law: x = (x1 y2 + x2 y1) / (1 + d x1 x2 y1 y2), y = (y1 y2 + x1 x2) / (1 - d x1 x2 y1 y2).
func (p point) plus(q point) point {
	e := mul(curveD(), p.x, q.x, p.y, q.y)
	over := func(n, d *big.Int) *big.Int { return mul(n, new(big.Int).ModInverse(mod(d), fieldPrime())) }
	one := big.NewInt(1)
	return point{
		over(new(big.Int).Add(mul(p.x, q.y), mul(q.x, p.y)), new(big.Int).Add(one, e)),
		over(new(big.Int).Add(mul(p.y, q.y), mul(p.x, q.x)), new(big.Int).Sub(one, e)),
	}
}

func (p point) times(n *big.Int) point {
	out := point{big.NewInt(0), big.NewInt(1)}
	for i := n.BitLen() - 1; i >= 0; i-- {
		if out = out.plus(out); n.Bit(i) == 1 {
			out = out.plus(p)
		}
	}
	return out
}

func little(n *big.Int) []byte {
	b := n.FillBytes(make([]byte, 32))
	slices.Reverse(b)
	return b
}

// bytes is the canonical encoding: y, with the lowest bit of x on top.
func (p point) bytes() []byte {
	b := little(p.y)
	b[31] |= byte(p.x.Bit(0)) << 7
	return b
}

// base is the generator of RFC 8032.
func base() point {
	return point{
		number("15112221349535400772501151409588531511454012693041857206046113283949847762202"),
		number("46316835694926478169428394003475163141307993866256225615783033603165251855960"),
	}
}

// torsion is a point of order 8, times n: what the group's order leaves of the first point, by y, of which it leaves that much.
func torsion(n int64) point {
	for y := int64(3); ; y++ {
		yy := mul(big.NewInt(y), big.NewInt(y))
		d := new(big.Int).ModInverse(mod(new(big.Int).Add(mul(curveD(), yy), big.NewInt(1))), fieldPrime())
		x := new(big.Int).ModSqrt(mul(new(big.Int).Sub(yy, big.NewInt(1)), d), fieldPrime())
		if x == nil {
			continue // no point has this y
		}
		t := point{x, big.NewInt(y)}.times(groupOrder())
		if t.times(big.NewInt(4)).y.Cmp(big.NewInt(1)) != 0 {
			return t.times(big.NewInt(n))
		}
	}
}

// challenge is k of the equation 8sB = 8R + 8kA, over the message that chain/sign documents.
func challenge(d sign.Domain, r, a, content []byte) *big.Int {
	m := []byte("synod/sign/1")
	m = append(binary.BigEndian.AppendUint16(m, uint16(len(d.Kind))), d.Kind...)
	m = append(binary.BigEndian.AppendUint16(m, d.Version), d.Genesis[:]...)
	m = append(binary.BigEndian.AppendUint64(m, uint64(len(content))), content...)
	h := sha512.Sum512(slices.Concat(r, a, m))
	k := slices.Clone(h[:])
	slices.Reverse(k)
	n := new(big.Int).SetBytes(k)
	return n.Mod(n, groupOrder())
}
