package chain

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"
)

// Errors of decoding. Both are wrapped with what was being decoded.
var (
	ErrEncoding = errors.New("chain: not the canonical encoding")
	ErrTooLong  = errors.New("chain: longer than its limit")
)

// Major types of CBOR (RFC 8949 section 3.1), shifted into place.
const (
	majorUint  = 0 << 5
	majorBytes = 2 << 5
	majorText  = 3 << 5
	majorArray = 4 << 5
)

// appendHead adds an item's head with the shortest form of n.
func appendHead(b []byte, major byte, n uint64) []byte {
	switch {
	case n < 24:
		return append(b, major|byte(n))
	case n <= math.MaxUint8:
		return append(b, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), n)
}

func appendBytes(b, x []byte) []byte { return append(appendHead(b, majorBytes, uint64(len(x))), x...) }

// reader takes canonical items from the front of rest. The first problem sticks; later reads give zero values.
type reader struct {
	what string
	rest []byte
	err  error
}

func (r *reader) fail(kind error, format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s: %s", kind, r.what, fmt.Sprintf(format, args...))
		r.rest = nil
	}
}

// head reads a head of the given major type and refuses any but the shortest form.
func (r *reader) head(major byte) uint64 {
	if r.err != nil {
		return 0
	}
	if len(r.rest) == 0 {
		r.fail(ErrEncoding, "ends early")
		return 0
	}
	first := r.rest[0]
	if first&0xe0 != major {
		r.fail(ErrEncoding, "major type %d where %d belongs", first>>5, major>>5)
		return 0
	}
	info := first & 0x1f
	if info < 24 {
		r.rest = r.rest[1:]
		return uint64(info)
	}
	if info > 27 {
		r.fail(ErrEncoding, "indefinite or reserved length")
		return 0
	}
	size := 1 << (info - 24)
	if len(r.rest) < 1+size {
		r.fail(ErrEncoding, "ends early")
		return 0
	}
	var n uint64
	for _, c := range r.rest[1 : 1+size] {
		n = n<<8 | uint64(c)
	}
	r.rest = r.rest[1+size:]
	if size == 1 && n < 24 || size > 1 && n>>(4*size) == 0 {
		r.fail(ErrEncoding, "not the shortest form")
		return 0
	}
	return n
}

func (r *reader) uint() uint64 { return r.head(majorUint) }

func (r *reader) uint32() uint32 {
	n := r.uint()
	if n > math.MaxUint32 {
		r.fail(ErrEncoding, "%d does not fit 32 bits", n)
		return 0
	}
	return uint32(n)
}

// array reads the head of an array of exactly n elements.
func (r *reader) array(n uint64) {
	if got := r.head(majorArray); r.err == nil && got != n {
		r.fail(ErrEncoding, "%d elements instead of %d", got, n)
	}
}

// bytes reads a byte string of at most limit bytes; the result aliases the input.
func (r *reader) bytes(limit int) []byte { return r.str(majorBytes, limit) }

// text reads a text string of at most limit bytes of valid UTF-8.
func (r *reader) text(limit int) string {
	s := r.str(majorText, limit)
	if !utf8.Valid(s) {
		r.fail(ErrEncoding, "text that is not UTF-8")
		return ""
	}
	return string(s)
}

func (r *reader) str(major byte, limit int) []byte {
	n := r.head(major)
	if n > uint64(limit) {
		r.fail(ErrTooLong, "%d bytes, at most %d", n, limit)
		return nil
	}
	if n > uint64(len(r.rest)) {
		r.fail(ErrEncoding, "ends early")
		return nil
	}
	s := r.rest[:n:n]
	r.rest = r.rest[n:]
	return s
}

func (r *reader) hash() (h Hash) {
	if b := r.bytes(len(h)); r.err == nil && copy(h[:], b) != len(h) {
		r.fail(ErrEncoding, "hash of %d bytes", len(b))
	}
	return h
}

// end reports the first problem; bytes left over are one.
func (r *reader) end() error {
	if len(r.rest) > 0 {
		r.fail(ErrEncoding, "%d bytes after the end", len(r.rest))
	}
	return r.err
}
