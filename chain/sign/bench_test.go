package sign_test

import (
	"crypto/ed25519"
	"fmt"
	"testing"

	"github.com/synodkit/synod/chain/sign"
)

func BenchmarkVerify(b *testing.B) {
	k, content := key(1), make([]byte, 128)
	sig := domain.Sign(k, content)
	pub := k.Public()
	b.Run("impl=synod", func(b *testing.B) {
		for range b.N {
			if domain.Verify(pub, content, sig) != nil {
				b.Fatal("invalid")
			}
		}
	})
	b.Run("impl=crypto-ed25519", func(b *testing.B) {
		raw := ed25519.NewKeyFromSeed(make([]byte, 32))
		sig := ed25519.Sign(raw, content)
		for range b.N {
			if !ed25519.Verify(raw.Public().(ed25519.PublicKey), content, sig) {
				b.Fatal("invalid")
			}
		}
	})
	for _, n := range []int{8, 64} {
		b.Run(fmt.Sprintf("impl=synod-batch/n=%d", n), func(b *testing.B) {
			for i := 0; i < b.N; i += n {
				var batch sign.Batch
				for range n {
					batch.Add(domain, pub, content, sig)
				}
				if batch.Verify() != nil {
					b.Fatal("invalid")
				}
			}
		})
	}
}
