package consensus

import (
	"errors"
	"fmt"
)

// Errors of things that members have signed.
var (
	ErrCertificate = errors.New("consensus: not a certificate")
	ErrEvidence    = errors.New("consensus: not evidence")
)

// Claim says that a member has signed a content.
type Claim struct {
	Author    ID
	Content   []byte
	Signature []byte
}

// Verifier judges claims and returns the positions of those that are not valid, in rising order, nil if all are. One claim alone and the
// same among others must get the same verdict: members that disagree about a signature disagree about what is decided.
type Verifier func(claims []Claim) (bad []int)

// Certificate is the proof that members of some weight signed one content (or each its own variant of it). Signers and Signatures
// belong together, in the order of the members' numbers.
type Certificate struct {
	Signers    []int
	Signatures [][]byte
}

// Check returns nil if the signatures are valid and weigh at least the share of the set. content gives what member i signed. What costs
// nothing is looked at first: the signatures are not verified unless they would suffice.
func (c Certificate) Check(s *Set, share func(total Weight) Weight, content func(i int) []byte, v Verifier) error {
	if len(c.Signers) != len(c.Signatures) || len(c.Signers) > s.Len() {
		return fmt.Errorf("%w: %d signers, %d signatures, %d members", ErrCertificate, len(c.Signers), len(c.Signatures), s.Len())
	}
	var w Weight
	for k, i := range c.Signers {
		if i < 0 || i >= s.Len() || k > 0 && i <= c.Signers[k-1] {
			return fmt.Errorf("%w: signer %d out of order or no member", ErrCertificate, i)
		}
		w += s.members[i].Weight
	}
	if need := share(s.total); w < need {
		return fmt.Errorf("%w: weight %d of %d needed", ErrCertificate, w, need)
	}
	claims := make([]Claim, len(c.Signers))
	for k, i := range c.Signers {
		claims[k] = Claim{s.members[i].ID, content(i), c.Signatures[k]}
	}
	if bad := v(claims); len(bad) > 0 {
		return fmt.Errorf("%w: %d bad signatures, the first by %v", ErrCertificate, len(bad), claims[bad[0]].Author)
	}
	return nil
}

// Evidence is two claims of one member that a correct one would not make both. It convinces anyone who knows the member's key and the rule
// it broke.
type Evidence struct{ First, Second Claim }

// Check returns nil if both claims are of one member of the set, conflict by the family's rule, and are valid. conflict is asked first:
// it looks at contents only and must refuse two equal ones.
func (e Evidence) Check(s *Set, conflict func(first, second []byte) bool, v Verifier) error {
	if e.First.Author != e.Second.Author {
		return fmt.Errorf("%w: by %v and %v", ErrEvidence, e.First.Author, e.Second.Author)
	}
	if _, ok := s.Index(e.First.Author); !ok {
		return fmt.Errorf("%w: %v is no member", ErrEvidence, e.First.Author)
	}
	if !conflict(e.First.Content, e.Second.Content) {
		return fmt.Errorf("%w: the claims do not conflict", ErrEvidence)
	}
	if bad := v([]Claim{e.First, e.Second}); len(bad) > 0 {
		return fmt.Errorf("%w: %d bad signatures", ErrEvidence, len(bad))
	}
	return nil
}
