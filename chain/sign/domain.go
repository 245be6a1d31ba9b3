package sign

import (
	"crypto/ed25519"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/hdevalence/ed25519consensus"

	"github.com/synodkit/synod/chain"
)

// ErrSignature says that a signature is not valid for key, domain and content.
var ErrSignature = errors.New("sign: invalid signature")

// KindBytesMax bounds the name of a kind.
const KindBytesMax = 64

// SignatureBytes is the length of a signature.
const SignatureBytes = ed25519.SignatureSize

// prefix keeps the messages of this package apart from everything else that the same key may sign.
const prefix = "synod/sign/1"

// Signature is 64 bytes, R and s. Any bytes may be put in; verification refuses what is none.
type Signature []byte

// Domain says what is signed: a kind of content ("header", "vote"), in a version of its rules, on one chain.
type Domain struct {
	Kind    string // 1 to KindBytesMax bytes
	Version uint16
	Genesis chain.Hash
}

// Sign signs content. The same key, domain and content always give the same signature.
func (d Domain) Sign(key PrivateKey, content []byte) Signature {
	return ed25519.Sign(key.must(), d.message(content))
}

// Verify returns nil or an error that wraps [ErrSignature].
func (d Domain) Verify(pub PublicKey, content []byte, sig Signature) error {
	if len(sig) != SignatureBytes {
		return fmt.Errorf("%w: %d bytes instead of %d", ErrSignature, len(sig), SignatureBytes)
	}
	if !ed25519consensus.Verify(pub[:], d.message(content), sig) {
		return fmt.Errorf("%w: %s by %v", ErrSignature, d.Kind, pub)
	}
	return nil
}

// message is injective in kind, version, genesis and content.
func (d Domain) message(content []byte) []byte {
	if d.Kind == "" || len(d.Kind) > KindBytesMax {
		panic(fmt.Sprintf("sign: kind of %d bytes instead of 1 to %d", len(d.Kind), KindBytesMax))
	}
	m := make([]byte, 0, len(prefix)+2+len(d.Kind)+2+len(d.Genesis)+8+len(content))
	m = append(m, prefix...)
	m = binary.BigEndian.AppendUint16(m, uint16(len(d.Kind)))
	m = append(m, d.Kind...)
	m = binary.BigEndian.AppendUint16(m, d.Version)
	m = append(m, d.Genesis[:]...)
	m = binary.BigEndian.AppendUint64(m, uint64(len(content)))
	return append(m, content...)
}
