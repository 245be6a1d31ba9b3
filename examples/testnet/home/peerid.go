package home

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/synodkit/synod/chain/sign"
)

const (
	base58      = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
	peerIDBytes = 6 + len(sign.PublicKey{})
)

// peerIDHead begins the peer id of an ed25519 key: an identity multihash of 36 bytes that are a protobuf with the key's type and 32 bytes.
func peerIDHead() []byte { return []byte{0x00, 0x24, 0x08, 0x01, 0x12, 0x20} }

// PeerID is the libp2p identity of a host's key.
func PeerID(key sign.PublicKey) string {
	var digits []byte // of the number in base 58, least first
	for _, b := range append(peerIDHead(), key[:]...) {
		carry := int(b)
		for i := range digits {
			carry += int(digits[i]) << 8
			digits[i], carry = byte(carry%58), carry/58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	out := []byte{base58[0]} // for the leading zero byte
	for _, d := range slices.Backward(digits) {
		out = append(out, base58[d])
	}
	return string(out)
}

var errPeerID = errors.New("is not the peer id of an ed25519 key")

// checkPeerID accepts what [PeerID] gives.
func checkPeerID(id string) error {
	raw := make([]byte, 0, peerIDBytes)
	if len(id) < 2 || len(id) > 60 || id[0] != base58[0] || id[1] == base58[0] {
		return fmt.Errorf("%.80q %w", id, errPeerID)
	}
	for _, c := range id[1:] {
		carry := strings.IndexRune(base58, c)
		if carry < 0 {
			return fmt.Errorf("%.80q %w", id, errPeerID)
		}
		for i := range raw {
			carry += int(raw[i]) * 58
			raw[i], carry = byte(carry), carry>>8
		}
		for ; carry > 0; carry >>= 8 {
			raw = append(raw, byte(carry))
		}
	}
	slices.Reverse(raw)
	if len(raw) != peerIDBytes-1 || string(raw[:5]) != string(peerIDHead()[1:]) {
		return fmt.Errorf("%.80q %w", id, errPeerID)
	}
	return nil
}
