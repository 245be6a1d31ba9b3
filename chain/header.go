package chain

import (
	"fmt"
	"slices"
)

// HeaderBytesMax bounds an encoded header, its proof included.
const HeaderBytesMax = 4 << 10

// Fields are what a header says; its proof is about them.
type Fields struct {
	Slot     Slot
	BlockNo  BlockNo
	Prev     Hash // of the header before, or the genesis hash
	BodyHash Hash
	BodySize uint32 // bytes
}

// Content is the canonical encoding of the fields: what a proof signs.
func (f Fields) Content() []byte { return f.append(make([]byte, 0, 96)) }

func (f Fields) append(b []byte) []byte {
	b = appendHead(b, majorArray, 5)
	b = appendHead(b, majorUint, uint64(f.Slot))
	b = appendHead(b, majorUint, uint64(f.BlockNo))
	b = appendBytes(b, f.Prev[:])
	b = appendBytes(b, f.BodyHash[:])
	return appendHead(b, majorUint, uint64(f.BodySize))
}

func (r *reader) fields() Fields {
	r.array(5)
	return Fields{Slot: Slot(r.uint()), BlockNo: BlockNo(r.uint()), Prev: r.hash(), BodyHash: r.hash(), BodySize: r.uint32()}
}

// Header is one block's header: fields and a proof whose meaning is the consensus's. Immutable; the zero Header is only a
// target of decoding.
type Header struct {
	fields Fields
	proof  []byte // inside raw
	raw    []byte // as received
	hash   Hash   // of raw
}

// NewHeader makes a header of fields and a proof of them. It panics if the result exceeds [HeaderBytesMax].
func NewHeader(f Fields, proof []byte) *Header {
	raw := appendHead(make([]byte, 0, 104+len(proof)), majorArray, 2)
	raw = appendBytes(f.append(raw), proof)
	if len(raw) > HeaderBytesMax {
		panic(fmt.Sprintf("chain: header of %d bytes, at most %d", len(raw), HeaderBytesMax))
	}
	return &Header{fields: f, proof: raw[len(raw)-len(proof) : len(raw) : len(raw)], raw: slices.Clip(raw), hash: HashOf(raw)}
}

// DecodeHeader decodes and keeps a copy of b. It does not judge the proof.
func DecodeHeader(b []byte) (*Header, error) {
	h := new(Header)
	if err := h.UnmarshalCBOR(b); err != nil {
		return nil, err
	}
	return h, nil
}

// UnmarshalCBOR is [DecodeHeader] into a zero Header, for messages that hold a header. It refuses a Header in use.
func (h *Header) UnmarshalCBOR(b []byte) error {
	if h.raw != nil {
		return fmt.Errorf("%w: header: decoding into a header in use", ErrEncoding)
	}
	if len(b) > HeaderBytesMax {
		return fmt.Errorf("%w: header: %d bytes, at most %d", ErrTooLong, len(b), HeaderBytesMax)
	}
	raw := slices.Clone(b)
	r := reader{what: "header", rest: raw}
	r.array(2)
	f, proof := r.fields(), r.bytes(HeaderBytesMax)
	if err := r.end(); err != nil {
		return err
	}
	*h = Header{fields: f, proof: proof, raw: raw, hash: HashOf(raw)}
	return nil
}

// MarshalCBOR gives the bytes the header was received as.
func (h *Header) MarshalCBOR() ([]byte, error) {
	if h.raw == nil {
		return nil, fmt.Errorf("%w: header: empty", ErrEncoding)
	}
	return slices.Clone(h.raw), nil
}

// Fields are what the header says.
func (h *Header) Fields() Fields { return h.fields }

// Proof is the consensus's part. Not to be written to.
func (h *Header) Proof() []byte { return h.proof }

// Bytes is the encoding, as received. Not to be written to.
func (h *Header) Bytes() []byte { return h.raw }

// Hash is the hash of Bytes.
func (h *Header) Hash() Hash { return h.hash }

// Slot is the slot the block was made for.
func (h *Header) Slot() Slot { return h.fields.Slot }

// BlockNo is the block's number.
func (h *Header) BlockNo() BlockNo { return h.fields.BlockNo }

// Prev is the hash of the header before, or the genesis hash.
func (h *Header) Prev() Hash { return h.fields.Prev }

// Point is the block's identity.
func (h *Header) Point() Point { return Point{Slot: h.fields.Slot, Hash: h.hash} }

// Tip is the tip of a chain that ends with this header.
func (h *Header) Tip() Tip { return Tip{Point: h.Point(), BlockNo: h.fields.BlockNo} }

// String names the header for people.
func (h *Header) String() string { return h.Tip().String() }
