package sign

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// ErrKey says that bytes or text are not a key.
var ErrKey = errors.New("sign: malformed key")

// PublicKey is an encoded ed25519 point; comparable with ==. That it is on the curve shows at verification.
type PublicKey [ed25519.PublicKeySize]byte

// ParsePublicKey takes the 32 bytes of a key.
func ParsePublicKey(b []byte) (PublicKey, error) {
	if len(b) != ed25519.PublicKeySize {
		return PublicKey{}, fmt.Errorf("%w: public key of %d bytes instead of %d", ErrKey, len(b), ed25519.PublicKeySize)
	}
	return PublicKey(b), nil
}

// String is the key in hexadecimal digits.
func (k PublicKey) String() string { return hex.EncodeToString(k[:]) }

// MarshalText is String.
func (k PublicKey) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, k[:]), nil }

// UnmarshalText accepts 64 hexadecimal digits and nothing else.
func (k *PublicKey) UnmarshalText(b []byte) error {
	raw, err := hex.DecodeString(string(b))
	if err != nil {
		return fmt.Errorf("%w: public key: %w", ErrKey, err)
	}
	got, err := ParsePublicKey(raw)
	if err == nil {
		*k = got
	}
	return err
}

// PrivateKey signs. It never prints itself: every verb of fmt, JSON and slog show [redacted] only. The zero PrivateKey is no key.
type PrivateKey struct{ key ed25519.PrivateKey }

// GenerateKey makes a key of 32 bytes read from r, which must be a cryptographic source of randomness (or, for a
// reproducible test network, its opposite).
func GenerateKey(r io.Reader) (PrivateKey, error) {
	var seed [ed25519.SeedSize]byte
	if _, err := io.ReadFull(r, seed[:]); err != nil {
		return PrivateKey{}, fmt.Errorf("sign: generate key: %w", err)
	}
	return KeyFromSeed(seed), nil
}

// KeyFromSeed is the key of a seed (RFC 8032's private key).
func KeyFromSeed(seed [ed25519.SeedSize]byte) PrivateKey {
	return PrivateKey{ed25519.NewKeyFromSeed(seed[:])}
}

// Seed is what [KeyFromSeed] takes, to be kept in a safe place.
func (k PrivateKey) Seed() [ed25519.SeedSize]byte { return [ed25519.SeedSize]byte(k.must().Seed()) }

// Public is the key that verifies.
func (k PrivateKey) Public() PublicKey { return PublicKey(k.must()[ed25519.SeedSize:]) }

// IsZero reports that there is no key.
func (k PrivateKey) IsZero() bool { return k.key == nil }

func (k PrivateKey) must() ed25519.PrivateKey {
	if k.key == nil {
		panic("sign: use of the zero PrivateKey")
	}
	return k.key
}

const redacted = "[redacted]"

// String hides the key.
func (k PrivateKey) String() string { return redacted }

// GoString hides the key.
func (k PrivateKey) GoString() string { return redacted }

// Format hides the key, whatever the verb.
func (k PrivateKey) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText hides the key.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }
