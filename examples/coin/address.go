package coin

import (
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"github.com/synodkit/synod/chain"
	"github.com/synodkit/synod/chain/sign"
)

// ErrAddress says that a text is no address: a typing error, most likely.
var ErrAddress = errors.New("coin: not an address")

const (
	addressPrefix   = "coin1"
	addressBytes    = 20
	addressSumBytes = 5 // 40 bits: of a million million mistyped addresses, one passes
	addressDigits   = (addressBytes + addressSumBytes) * 8 / 5
	addressTag      = "synod/coin/address/1"
)

// Address names an account: 20 bytes of the hash of the public key that may spend from it. It is the same in all networks. An address that no
// key belongs to can be paid, and never pays. Comparable with ==.
type Address [addressBytes]byte

// AddressOf is the address of a key's account.
func AddressOf(key sign.PublicKey) Address {
	h := chain.HashOf(append([]byte(addressTag+"/key"), key[:]...))
	return Address(h[:addressBytes])
}

// ParseAddress reads what [Address.String] writes, and nothing else.
func ParseAddress(s string) (Address, error) {
	digits, ok := strings.CutPrefix(s, addressPrefix)
	if !ok || len(digits) != addressDigits {
		return Address{}, fmt.Errorf("%w: want %s and %d letters or digits", ErrAddress, addressPrefix, addressDigits)
	}
	// Exactly 200 bits in 40 digits: no padding, no bits to spare, so one address has one text.
	raw, err := base32.NewEncoding(addressAlphabet).WithPadding(base32.NoPadding).DecodeString(digits)
	if err != nil || len(raw) != addressBytes+addressSumBytes {
		return Address{}, fmt.Errorf("%w: it has a character other than a to z and 2 to 7", ErrAddress)
	}
	a := Address(raw[:addressBytes])
	if !bytes.Equal(raw[addressBytes:], a.sum()) {
		return Address{}, fmt.Errorf("%w: its checksum does not match: a typing error", ErrAddress)
	}
	return a, nil
}

const addressAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// sum tells typing errors; it protects from nothing else.
func (a Address) sum() []byte {
	h := chain.HashOf(append([]byte(addressTag+"/sum"), a[:]...))
	return h[:addressSumBytes]
}

// String is "coin1" and 40 characters of base32 (RFC 4648, lower case): the bytes and their checksum.
func (a Address) String() string {
	raw := append(a[:len(a):len(a)], a.sum()...)
	return addressPrefix + base32.NewEncoding(addressAlphabet).WithPadding(base32.NoPadding).EncodeToString(raw)
}

// MarshalText is String, for JSON and flags.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is [ParseAddress].
func (a *Address) UnmarshalText(b []byte) error {
	got, err := ParseAddress(string(b))
	if err == nil {
		*a = got
	}
	return err
}
