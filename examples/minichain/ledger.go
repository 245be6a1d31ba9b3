package main

import (
	"errors"
	"fmt"
	"maps"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

const claimBytesMax, nameBytesMax = 160, 32

var errTaken = errors.New("the name is taken")

// claim is the transaction: it asks for a name, on behalf of a key.
type claim struct {
	_         struct{} `cbor:",toarray"`
	Name      string
	Owner     sign.PublicKey
	Signature []byte // of the name, by the owner, for this network
}

// names is the state: who owns what. Never written to once made, because chain selection keeps the states of many blocks.
type names map[string]sign.PublicKey

// ledger is the rules: a name belongs to whoever claimed it first, for ever.
type ledger struct{ domain sign.Domain }

func newLedger(g chain.Genesis) ledger {
	return ledger{sign.Domain{Kind: "minichain/claim", Version: 1, Genesis: g.Hash()}}
}

// sign makes a claim, as the bytes to submit.
func (l ledger) sign(key sign.PrivateKey, name string) ([]byte, error) {
	return chain.Marshal(claim{Name: name, Owner: key.Public(), Signature: l.domain.Sign(key, []byte(name))})
}

// Parse checks what needs no state, the signature last.
func (l ledger) Parse(raw []byte) (claim, error) {
	var c claim
	if len(raw) > claimBytesMax {
		return c, fmt.Errorf("a claim of %d bytes, at most %d", len(raw), claimBytesMax)
	}
	if err := chain.Unmarshal(raw, &c); err != nil {
		return c, err
	}
	if n := len(c.Name); n == 0 || n > nameBytesMax {
		return c, fmt.Errorf("a name of %d bytes instead of 1 to %d", n, nameBytesMax)
	}
	return c, l.domain.Verify(c.Owner, []byte(c.Name), c.Signature)
}

// Check is the state after a claim, or why it is not valid on s.
func (ledger) Check(s names, c claim) (names, error) {
	if owner, taken := s[c.Name]; taken {
		return s, fmt.Errorf("%w: %s belongs to %v", errTaken, c.Name, owner)
	}
	after := maps.Clone(s)
	after[c.Name] = c.Owner
	return after, nil
}

// Body is the body of a block: its claims as bytes, in order.
func (ledger) Body(_ names, _ chain.Slot, cs []claim) []byte {
	raws := make([][]byte, len(cs))
	for i, c := range cs {
		raws[i], _ = chain.Marshal(c) // cannot fail: it came from Parse
	}
	body, _ := chain.Marshal(raws)
	return body
}

// Transactions reads what Body wrote.
func (ledger) Transactions(b chain.Block) (raws [][]byte, err error) {
	err = chain.Unmarshal(b.Body, &raws)
	return raws, err
}

// Apply is the state after a block, or why it is not valid on s. The block's maker may have put in anything.
func (l ledger) Apply(s names, b chain.Block) (names, error) {
	raws, err := l.Transactions(b)
	after := s
	for _, raw := range raws {
		var c claim
		if c, err = l.Parse(raw); err != nil {
			break
		}
		if after, err = l.Check(after, c); err != nil {
			break
		}
	}
	if err != nil {
		return s, err
	}
	return after, nil
}
