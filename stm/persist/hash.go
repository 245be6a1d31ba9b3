package persist

import (
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"reflect"
	"unsafe"
)

// Hash gives each key its digits: one word of 64 bits or more, the first of which is its hash as one usually means it.
// The others are asked for only where keys agree in all words before. Words are the same at every run.
type Hash[K comparable] struct {
	first func(K) uint64
	more  func(K, int) uint64 // words 1 and above; nil if there is but one
	words int
}

// Words is how many words a key has at most. Different keys that agree in all of them cannot be told apart by h.
func (h *Hash[K]) Words() int { return h.words }

// Word is the i-th word of a key, 0 <= i < Words.
func (h *Hash[K]) Word(key K, i int) uint64 {
	if i == 0 {
		return h.first(key)
	}
	return h.more(key, i)
}

// HashBy is the hash of one word that f gives. f must be pure, and the same at every run.
func HashBy[K comparable](f func(K) uint64) *Hash[K] { return &Hash[K]{first: f, words: 1} }

// ReadyHash is the hash of a type that needs none given: strings, integers, arrays of bytes, and types made of those. It
// panics for others. See the package comment for what chosen keys can do to each.
func ReadyHash[K comparable]() *Hash[K] {
	switch t := reflect.TypeFor[K](); t.Kind() {
	case reflect.String:
		return &Hash[K]{
			first: func(k K) uint64 { return HashString(*(*string)(unsafe.Pointer(&k))) },
			more:  func(k K, i int) uint64 { return digest(*(*string)(unsafe.Pointer(&k)), i-1) },
			words: 1 + sha256.Size/8,
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return &Hash[K]{first: integer[K](t.Size()), words: 1}
	case reflect.Array:
		if t.Elem().Kind() == reflect.Uint8 && t.Len() > 0 {
			return ownBits[K](t.Len())
		}
	}
	panic("persist: no ready hash for " + reflect.TypeFor[K]().String() + ": give one")
}

// integer is the mixed value of an integer of a size. Signs do not matter: it is one-to-one.
func integer[K comparable](size uintptr) func(K) uint64 {
	switch size {
	case 1:
		return func(k K) uint64 { return HashUint64(uint64(*(*uint8)(unsafe.Pointer(&k)))) }
	case 2:
		return func(k K) uint64 { return HashUint64(uint64(*(*uint16)(unsafe.Pointer(&k)))) }
	case 4:
		return func(k K) uint64 { return HashUint64(uint64(*(*uint32)(unsafe.Pointer(&k)))) }
	}
	return func(k K) uint64 { return HashUint64(*(*uint64)(unsafe.Pointer(&k))) }
}

// ownBits takes the words of an array of n bytes from it as they are, in big-endian order.
func ownBits[K comparable](n int) *Hash[K] {
	if n < 8 {
		return &Hash[K]{words: 1, first: func(k K) uint64 {
			var b [8]byte
			copy(b[:], unsafe.Slice((*byte)(unsafe.Pointer(&k)), n))
			return binary.BigEndian.Uint64(b[:])
		}}
	}
	return &Hash[K]{
		words: (n + 7) / 8,
		first: func(k K) uint64 { return binary.BigEndian.Uint64((*[8]byte)(unsafe.Pointer(&k))[:]) },
		more: func(k K, i int) uint64 {
			var b [8]byte
			copy(b[:], unsafe.Slice((*byte)(unsafe.Pointer(&k)), n)[8*i:])
			return binary.BigEndian.Uint64(b[:])
		},
	}
}

// digest is the i-th word of the SHA-256 of a string.
func digest(s string, i int) uint64 {
	sum := sha256.Sum256([]byte(s))
	return binary.BigEndian.Uint64(sum[8*i:])
}

// Odd constants with no pattern: digits of the golden ratio and of pi.
const (
	golden = 0x9e3779b97f4a7c15
	pi     = 0x243f6a8885a308d3
)

// HashUint64 spreads an integer over all bits. It is one-to-one, and no secret.
func HashUint64(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// HashString hashes a string. It is fast and no secret: whoever wants to can find strings of one hash.
func HashString(s string) uint64 {
	h := uint64(len(s)) ^ pi
	for ; len(s) >= 8; s = s[8:] {
		h = Combine(h, word(s))
	}
	var rest uint64
	for i := range len(s) {
		rest = rest<<8 | uint64(s[i])
	}
	return HashUint64(Combine(h, rest))
}

// Combine is one word made of two, in their order, for hashes of structs: Combine(HashString(k.Name), uint64(k.Slot)).
func Combine(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a^golden, b^pi)
	return hi ^ lo ^ bits.RotateLeft64(a, 32) ^ b
}

func word(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
