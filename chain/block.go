package chain

import (
	"errors"
	"fmt"
)

// BodyBytesMax bounds a block's body. Callers may set a lower limit of their own.
const BodyBytesMax = 1 << 20

// ErrBody says that a body is not the one its header names.
var ErrBody = errors.New("chain: body does not belong to the header")

// Block is a header and the body it names. Made by [NewBlock] and [DecodeBlock], the two belong together.
type Block struct {
	Header *Header
	Body   []byte // not to be written to
}

// NewBlock joins a header and its body, which it keeps. ErrBody if the header names another body, ErrTooLong if it is too long.
func NewBlock(h *Header, body []byte) (Block, error) {
	if len(body) > BodyBytesMax {
		return Block{}, fmt.Errorf("%w: body: %d bytes, at most %d", ErrTooLong, len(body), BodyBytesMax)
	}
	if want := h.fields.BodySize; uint64(len(body)) != uint64(want) {
		return Block{}, fmt.Errorf("%w: %v: %d bytes instead of %d", ErrBody, h, len(body), want)
	}
	if got, want := HashOf(body), h.fields.BodyHash; got != want {
		return Block{}, fmt.Errorf("%w: %v: hash %v instead of %v", ErrBody, h, got, want)
	}
	return Block{Header: h, Body: body}, nil
}

// DecodeBlock decodes a block and checks that its parts belong together. It keeps copies: header and body do not hold
// each other, or b, in memory.
func DecodeBlock(b []byte) (Block, error) {
	r := reader{what: "block", rest: b}
	r.array(2)
	raw := r.header()
	body := r.bytes(BodyBytesMax)
	if err := r.end(); err != nil {
		return Block{}, err
	}
	h, err := DecodeHeader(raw)
	if err != nil {
		return Block{}, err
	}
	blk, err := NewBlock(h, body)
	if err != nil {
		return Block{}, err
	}
	blk.Body = append([]byte{}, body...)
	return blk, nil
}

// header reads one header's bytes.
func (r *reader) header() []byte {
	start := r.rest
	r.array(2)
	r.fields()
	r.bytes(HeaderBytesMax)
	return start[:len(start)-len(r.rest)]
}

// Bytes is the canonical encoding, freshly made.
func (b Block) Bytes() []byte {
	out := appendHead(make([]byte, 0, 8+len(b.Header.raw)+len(b.Body)), majorArray, 2)
	return appendBytes(append(out, b.Header.raw...), b.Body)
}

// MarshalCBOR is Bytes, for messages that hold a block.
func (b Block) MarshalCBOR() ([]byte, error) {
	if b.Header == nil {
		return nil, fmt.Errorf("%w: block: no header", ErrEncoding)
	}
	return b.Bytes(), nil
}

// UnmarshalCBOR is [DecodeBlock].
func (b *Block) UnmarshalCBOR(data []byte) error {
	got, err := DecodeBlock(data)
	if err == nil {
		*b = got
	}
	return err
}

// Point is the block's identity.
func (b Block) Point() Point { return b.Header.Point() }
