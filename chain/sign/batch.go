package sign

import (
	"fmt"

	"github.com/hdevalence/ed25519consensus"
)

// BatchError tells which signatures of a batch are not valid. It unwraps to [ErrSignature].
type BatchError struct {
	Bad []int // in the order of Add, from 0; never empty
}

// Error counts the bad ones and names the first.
func (e *BatchError) Error() string {
	return fmt.Sprintf("%v: %d in the batch, the first at %d", ErrSignature, len(e.Bad), e.Bad[0])
}

// Unwrap is ErrSignature.
func (e *BatchError) Unwrap() error { return ErrSignature }

// Batch verifies many signatures at once, faster than one by one and with the same verdict. The zero Batch is empty and
// ready.
type Batch struct {
	claims []claim
}

type claim struct {
	pub     PublicKey
	message []byte
	sig     Signature
}

// Add takes one more signature; it copies what it keeps.
func (b *Batch) Add(d Domain, pub PublicKey, content []byte, sig Signature) {
	b.claims = append(b.claims, claim{pub, d.message(content), append(Signature{}, sig...)})
}

// Len is the number of signatures added.
func (b *Batch) Len() int { return len(b.claims) }

// Verify returns nil if every signature alone is valid (an empty batch is), else a *[BatchError]. When the batch equation
// fails, it verifies one by one: a bad signature costs its batch more than single verification would have.
func (b *Batch) Verify() error {
	if b.together() {
		return nil
	}
	var bad []int
	for i, c := range b.claims {
		if len(c.sig) != SignatureBytes || !ed25519consensus.Verify(c.pub[:], c.message, c.sig) {
			bad = append(bad, i)
		}
	}
	if bad == nil {
		return nil
	}
	return &BatchError{Bad: bad}
}

// together tries the batch equation; false leaves the question open.
func (b *Batch) together() bool {
	if len(b.claims) < 2 { // no gain
		return false
	}
	v := ed25519consensus.NewPreallocatedBatchVerifier(len(b.claims))
	for _, c := range b.claims {
		v.Add(c.pub[:], c.message, c.sig)
	}
	return v.Verify()
}
