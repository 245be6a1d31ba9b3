package coin_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
	"github.com/synodkit/synod/examples/coin"
)

func seed(n int) (s [32]byte) {
	s[0], s[1], s[2], s[3] = byte(n), byte(n>>8), byte(n>>16), 7
	return s
}

func address(n int) (a coin.Address) {
	s := seed(n)
	copy(a[:], s[:])
	return a
}

// filled is a ledger of accounts that were never used, and one signer of the first.
func filled(b *testing.B, accounts int) (coin.Ledger, coin.State, sign.PrivateKey, chain.Hash) {
	key := sign.KeyFromSeed(seed(0))
	pub := key.Public()
	const funds = 1 << 40
	raw, err := coin.EncodeAllocations([]coin.Allocation{{Address: coin.AddressOf(pub), Amount: funds}})
	if err != nil {
		b.Fatal(err)
	}
	g := chain.Genesis{Network: "bench", Start: time.UnixMilli(0), SlotLength: time.Second, Keys: [][]byte{pub[:]}, Ledger: raw}
	l, s, err := coin.NewLedger(g)
	if err != nil {
		b.Fatal(err)
	}
	t := coin.Sign(key, g.Hash(), coin.Transfer{Amount: 1, Fee: 1}) // Check asks for no valid signature
	for i := range accounts {
		t.To, t.Nonce = address(i+1), uint64(i)
		if s, err = l.Check(s, t); err != nil {
			b.Fatal(err)
		}
	}
	_ = s.Root()
	return l, s, key, g.Hash()
}

func transfers(l coin.Ledger, s coin.State, key sign.PrivateKey, genesis chain.Hash, n int) []coin.Transfer {
	ts := make([]coin.Transfer, n)
	next := s.Account(coin.AddressOf(key.Public())).Next
	for i := range ts {
		ts[i] = coin.Sign(key, genesis, coin.Transfer{To: address(i*37 + 1), Amount: 1, Fee: 1, Nonce: next + uint64(i)})
	}
	return ts
}

func BenchmarkCheck(b *testing.B) {
	for _, accounts := range []int{100, 100_000} {
		l, s, key, g := filled(b, accounts)
		t := transfers(l, s, key, g, 1)[0]
		b.Run(fmt.Sprintf("accounts=%d", accounts), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := l.Check(s, t); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	l, s, key, g := filled(b, 1)
	raw := transfers(l, s, key, g, 1)[0].Bytes()
	b.Run("signature=none", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := coin.ParseTransfer(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("signature=known", func(b *testing.B) {
		for range b.N {
			if _, err := l.Parse(raw); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkApply(b *testing.B) {
	const n = 1000
	for _, accounts := range []int{100, 100_000} {
		l, s, key, g := filled(b, accounts)
		block := blockOf(1, l.Body(s, 1, transfers(l, s, key, g, n)))
		for _, known := range []bool{false, true} {
			b.Run(fmt.Sprintf("transfers=%d/accounts=%d/known=%v", n, accounts, known), func(b *testing.B) {
				for range b.N {
					l := l
					if !known {
						l = l.Forgetful()
					}
					if _, err := l.Apply(s, block); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func BenchmarkBody(b *testing.B) {
	l, s, key, g := filled(b, 100_000)
	ts := transfers(l, s, key, g, 1000)
	b.ResetTimer()
	for range b.N {
		l.Body(s, 1, ts)
	}
}

func BenchmarkRoot(b *testing.B) {
	for _, touched := range []int{1, 1000} {
		l, s, key, g := filled(b, 100_000)
		ts := transfers(l, s, key, g, touched)
		b.Run(fmt.Sprintf("accounts=100000/touched=%d", touched), func(b *testing.B) {
			for range b.N {
				b.StopTimer()
				s := s
				for _, t := range ts {
					s, _ = l.Check(s, t)
				}
				b.StartTimer()
				s.Root()
			}
		})
	}
}
