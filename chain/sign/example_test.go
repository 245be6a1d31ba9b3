package sign_test

import (
	"errors"
	"fmt"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

// A signature is valid for what was signed, on the chain and in the version it was signed for.
func Example() {
	alice := sign.KeyFromSeed([32]byte{1})
	header := sign.Domain{Kind: "header", Version: 1, Genesis: chain.HashOf([]byte("genesis"))}
	sig := header.Sign(alice, []byte("slot 7"))

	fmt.Println(header.Verify(alice.Public(), []byte("slot 7"), sig))
	vote := header
	vote.Kind = "vote"
	fmt.Println(errors.Is(vote.Verify(alice.Public(), []byte("slot 7"), sig), sign.ErrSignature))
	fmt.Println(alice)
	// Output:
	// <nil>
	// true
	// [redacted]
}

// A batch is faster and has the same verdict; it names the bad ones.
func ExampleBatch() {
	d := sign.Domain{Kind: "vote", Version: 1}
	var b sign.Batch
	for i := range 3 {
		k := sign.KeyFromSeed([32]byte{byte(i)})
		content := []byte{byte(i)}
		sig := d.Sign(k, content)
		if i == 1 {
			content = []byte("something else")
		}
		b.Add(d, k.Public(), content, sig)
	}
	err := b.Verify()
	var bad *sign.BatchError
	fmt.Println(errors.As(err, &bad), bad.Bad)
	// Output: true [1]
}
