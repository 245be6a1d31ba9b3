package chain

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Slot counts the intervals of a network's time from its start. Slot 0 is the genesis's.
type Slot uint64

// BlockNo is the number of blocks from the genesis (number 0) to a block.
type BlockNo uint64

// Hash is a SHA-256 digest.
type Hash [sha256.Size]byte

// HashOf is the hash of b.
func HashOf(b []byte) Hash { return sha256.Sum256(b) }

// String is the hash in 64 hexadecimal digits.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// MarshalText is String, for JSON and flags.
func (h Hash) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, h[:]), nil }

// UnmarshalText accepts 64 hexadecimal digits and nothing else.
func (h *Hash) UnmarshalText(b []byte) error {
	if len(b) != hex.EncodedLen(len(h)) {
		return fmt.Errorf("%w: hash of %d digits instead of %d", ErrEncoding, len(b), hex.EncodedLen(len(h)))
	}
	var out Hash
	if _, err := hex.Decode(out[:], b); err != nil {
		return fmt.Errorf("%w: hash: %w", ErrEncoding, err)
	}
	*h = out
	return nil
}

// Point is the identity of a block; comparable with ==.
type Point struct {
	Slot Slot
	Hash Hash
}

// String is the slot and the first digits of the hash, for people.
func (p Point) String() string { return fmt.Sprintf("%d@%x", p.Slot, p.Hash[:4]) }

// Tip is the last block of a chain: its point and its number; comparable with ==.
type Tip struct {
	Point   Point
	BlockNo BlockNo
}

// String is the number and the point, for people.
func (t Tip) String() string { return fmt.Sprintf("#%d %v", t.BlockNo, t.Point) }

// MarshalCBOR is the canonical encoding.
func (p Point) MarshalCBOR() ([]byte, error) { return p.append(nil), nil }

// UnmarshalCBOR accepts the canonical encoding alone.
func (p *Point) UnmarshalCBOR(b []byte) error {
	r := reader{what: "point", rest: b}
	got := r.point()
	if err := r.end(); err != nil {
		return err
	}
	*p = got
	return nil
}

// MarshalCBOR is the canonical encoding.
func (t Tip) MarshalCBOR() ([]byte, error) {
	b := appendHead(nil, majorArray, 2)
	b = t.Point.append(b)
	return appendHead(b, majorUint, uint64(t.BlockNo)), nil
}

// UnmarshalCBOR accepts the canonical encoding alone.
func (t *Tip) UnmarshalCBOR(b []byte) error {
	r := reader{what: "tip", rest: b}
	r.array(2)
	got := Tip{Point: r.point(), BlockNo: BlockNo(r.uint())}
	if err := r.end(); err != nil {
		return err
	}
	*t = got
	return nil
}

func (p Point) append(b []byte) []byte {
	b = appendHead(b, majorArray, 2)
	b = appendHead(b, majorUint, uint64(p.Slot))
	return appendBytes(b, p.Hash[:])
}

func (r *reader) point() Point {
	r.array(2)
	return Point{Slot: Slot(r.uint()), Hash: r.hash()}
}

// Step is one instruction to a follower of a chain: add Header to what you have, or, when Header is nil, roll back to To.
// Tip is the end of the followed chain at that moment.
type Step struct {
	Header *Header // nil: roll back
	To     Point   // where the follower stands after the step; Header's own point when there is one
	Tip    Tip
}
