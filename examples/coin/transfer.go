package coin

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

// FeeMin is the least fee of a transfer: whoever makes the state grow pays for it.
const FeeMin = 1

// TransferBytesMax is the length of the longest encoded transfer.
const TransferBytesMax = 155

const (
	transferKind    = "coin/transfer"
	transferVersion = 1
)

// Transfer moves Amount from the account of a key to an address, and Fee to the leader of the slot of the block that holds it.
type Transfer struct {
	Network     uint32 // the first four bytes of the genesis hash: tells early, and cheaply, whose transfer it is; the signature binds all 32
	From        sign.PublicKey
	To          Address
	Amount, Fee uint64 // at least 1 and FeeMin; their sum fits 64 bits
	Nonce       uint64 // of the sender's transfers, from 0 on without a gap
	Signature   sign.Signature
}

// content is what is signed, in its encoded form.
type content struct {
	_           struct{} `cbor:",toarray"`
	Network     uint32
	From        sign.PublicKey
	To          Address
	Amount, Fee uint64
	Nonce       uint64
}

// envelope is a transfer in its encoded form.
type envelope struct {
	_         struct{} `cbor:",toarray"`
	Content   content
	Signature []byte
}

// Sign completes a transfer (To, Amount, Fee and Nonce) with Network, From and Signature. It does not ask whether the result is valid.
func Sign(key sign.PrivateKey, genesis chain.Hash, t Transfer) Transfer {
	t.Network, t.From = networkOf(genesis), key.Public()
	t.Signature = domainOf(genesis).Sign(key, t.content())
	return t
}

// ParseTransfer decodes a transfer and checks what can be checked without a ledger: size, canonical form, amounts, key. The error is a
// *[MalformedError]. It does not verify the signature: [Ledger.Parse] does.
func ParseTransfer(raw []byte) (Transfer, error) {
	if len(raw) > TransferBytesMax {
		return Transfer{}, malformed("%d bytes, at most %d", len(raw), TransferBytesMax)
	}
	var e envelope
	if err := chain.Unmarshal(raw, &e); err != nil {
		return Transfer{}, &MalformedError{err.Error()}
	}
	t := e.transfer()
	if err := t.check(); err != nil {
		return Transfer{}, err
	}
	return t, nil
}

// Bytes is the canonical encoding.
func (t Transfer) Bytes() []byte { return must(chain.Marshal(t.envelope())) }

// ID is the hash of Bytes. Whoever holds the key can sign the same transfer twice with different bytes; only one of them is ever valid, by the nonce.
func (t Transfer) ID() chain.Hash { return chain.HashOf(t.Bytes()) }

func (t Transfer) content() []byte { return must(chain.Marshal(t.envelope().Content)) }

func (t Transfer) envelope() envelope {
	c := content{Network: t.Network, From: t.From, To: t.To, Amount: t.Amount, Fee: t.Fee, Nonce: t.Nonce}
	return envelope{Content: c, Signature: t.Signature}
}

func (e envelope) transfer() Transfer {
	c := e.Content
	return Transfer{Network: c.Network, From: c.From, To: c.To, Amount: c.Amount, Fee: c.Fee, Nonce: c.Nonce, Signature: e.Signature}
}

// check is what no state and no signature is needed for.
func (t Transfer) check() error {
	switch _, carry := bits.Add64(t.Amount, t.Fee, 0); {
	case len(t.Signature) != sign.SignatureBytes:
		return malformed("a signature of %d bytes instead of %d", len(t.Signature), sign.SignatureBytes)
	case t.Amount == 0:
		return malformed("the amount is 0, at least 1")
	case t.Fee < FeeMin:
		return malformed("the fee is %d, at least %d", t.Fee, FeeMin)
	case carry != 0:
		return malformed("amount %d and fee %d together exceed 64 bits", t.Amount, t.Fee)
	case t.Nonce == math.MaxUint64: // none would be left for the next
		return malformed("the nonce is %d, at most %d", t.Nonce, uint64(math.MaxUint64-1))
	case smallOrder(t.From):
		return malformed("the key %v is of small order: anybody could sign with it", t.From)
	}
	return nil
}

func networkOf(genesis chain.Hash) uint32 { return binary.BigEndian.Uint32(genesis[:]) }

func domainOf(genesis chain.Hash) sign.Domain {
	return sign.Domain{Kind: transferKind, Version: transferVersion, Genesis: genesis}
}

// must is for encodings of our own types, all of which have one.
func must(b []byte, err error) []byte {
	if err != nil {
		panic(fmt.Sprintf("coin: %v", err))
	}
	return b
}
